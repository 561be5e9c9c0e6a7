// A table that stays one for everybody: where there is no room for columns, each row becomes a card with its columns' names before the
// values. Styles that take a table apart would take its meaning too; the roles keep it.
import type { ReactNode } from "react";
import styles from "./table.module.css";

export interface Column<T> {
  name: string;
  cell: (row: T) => ReactNode;
  /** Its name is said, not shown. */
  quiet?: boolean;
  /** It names the row. */
  heads?: boolean;
  /** Its values do not break into lines. */
  tight?: boolean;
  /** Its values may break anywhere: addresses. */
  long?: boolean;
}

interface TableProps<T> {
  /** What the table shows; said, not shown. */
  caption: string;
  columns: Column<T>[];
  rows: T[];
  keyOf: (row: T) => string;
}

export function Table<T>({ caption, columns, rows, keyOf }: TableProps<T>) {
  return (
    <div className={styles.room}>
      {/* biome-ignore lint/a11y/noRedundantRoles: as cards it is no table to browsers any more */}
      <table role="table" className={styles.table}>
        <caption className="hidden-text">{caption}</caption>
        {/* biome-ignore lint/a11y/noRedundantRoles: see above */}
        <thead role="rowgroup">
          {/* biome-ignore lint/a11y/noRedundantRoles: see above */}
          <tr role="row">
            {columns.map((column) => (
              // biome-ignore lint/a11y/noRedundantRoles: see above
              <th key={column.name} role="columnheader" scope="col">
                {column.quiet ? <span className="hidden-text">{column.name}</span> : column.name}
              </th>
            ))}
          </tr>
        </thead>
        {/* biome-ignore lint/a11y/noRedundantRoles: see above */}
        <tbody role="rowgroup">
          {rows.map((row) => (
            // biome-ignore lint/a11y/noRedundantRoles: see above
            <tr key={keyOf(row)} role="row">
              {columns.map((column) => {
                const Cell = column.heads ? "th" : "td";
                return (
                  <Cell
                    key={column.name}
                    role={column.heads ? "rowheader" : "cell"}
                    scope={column.heads ? "row" : undefined}
                    className={column.tight ? styles.tight : column.long ? styles.long : undefined}
                    data-name={column.quiet || column.heads ? undefined : column.name}
                  >
                    <div>{column.cell(row)}</div>
                  </Cell>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
