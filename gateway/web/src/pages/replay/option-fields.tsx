// The options of a replay's video: groups that are closed until somebody wants them, or something is wrong in them.
import { useEffect, useRef } from "react";
import { count } from "../../lib/format";
import { Field } from "../../ui/field";
import { Icon } from "../../ui/icon";
import { type Chosen, changesOf, chosenOf, GROUPS, type Option, type OptionGroup } from "./options";
import styles from "./replay.module.css";

interface OptionFieldsProps {
  chosen: Chosen;
  mistakes: Record<string, string>;
  choose: (path: string, value: boolean | string) => void;
}

export function OptionFields({ chosen, mistakes, choose }: OptionFieldsProps) {
  return (
    <div className={styles.groups}>
      {GROUPS.map((group) => (
        <Group key={group.name} group={group} chosen={chosen} mistakes={mistakes} choose={choose} />
      ))}
    </div>
  );
}

function Group({ group, chosen, mistakes, choose }: OptionFieldsProps & { group: OptionGroup }) {
  const details = useRef<HTMLDetailsElement>(null);
  const wrong = group.options.filter((option) => mistakes[option.path]).length;
  useEffect(() => {
    if (wrong > 0 && details.current) details.current.open = true;
  }, [wrong]);
  const changes = changesOf(group, chosen);
  return (
    <details ref={details} className={styles.group}>
      <summary>
        <span className={styles.groupName}>{group.name}</span>
        {wrong > 0 ? (
          <span className={styles.mistake}>
            <Icon name="warning" /> {count(wrong, "mistake")}
          </span>
        ) : (
          <span className="soft">{changes === 0 ? "as usual" : `${count(changes, "change")}`}</span>
        )}
      </summary>
      <div className={styles.inside}>
        {group.options.map((option) => (
          <OptionField
            key={option.path}
            option={option}
            value={chosenOf(option, chosen)}
            mistake={mistakes[option.path]}
            choose={(value) => choose(option.path, value)}
          />
        ))}
      </div>
    </details>
  );
}

interface OptionFieldProps {
  option: Option;
  value: boolean | string;
  mistake: string | undefined;
  choose: (value: boolean | string) => void;
}

function OptionField({ option, value, mistake, choose }: OptionFieldProps) {
  if (option.kind === "switch") {
    return (
      <label className={styles.switch}>
        <input type="checkbox" checked={value === true} onChange={(event) => choose(event.target.checked)} />
        <span>{option.label}</span>
      </label>
    );
  }
  const range =
    option.kind === "number" ? `${option.least} to ${option.most}${option.unit && ` ${option.unit}`}` : undefined;
  const help = [range, option.help].filter(Boolean).join(". ");
  return (
    <Field label={option.label} help={help} mistake={mistake}>
      {(control) =>
        option.kind === "choice" ? (
          <select {...control} value={String(value)} onChange={(event) => choose(event.target.value)}>
            {option.choices.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        ) : (
          <input
            {...control}
            inputMode="decimal"
            autoComplete="off"
            maxLength={20}
            value={String(value)}
            onChange={(event) => choose(event.target.value)}
          />
        )
      }
    </Field>
  );
}
