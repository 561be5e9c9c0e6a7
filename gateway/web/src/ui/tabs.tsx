// Tabs: one stop for the Tab key, arrows between them, and the page of the chosen one.
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef } from "react";
import { Icon, type IconName } from "./icon";
import styles from "./tabs.module.css";

export interface Tab {
  id: string;
  name: string;
  icon?: IconName;
  /** A short word beside the name, such as a number. */
  note?: ReactNode;
}

interface TabsProps {
  /** What is chosen from. */
  label: string;
  tabs: Tab[];
  chosen: string;
  choose: (id: string) => void;
  /** What the chosen one shows. */
  children: ReactNode;
}

export function Tabs({ label, tabs, chosen, choose, children }: TabsProps) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  // Where there is no room for all of them, the chosen one is in the middle.
  useEffect(() => {
    const tab = list.current?.querySelector<HTMLElement>(`[data-tab="${chosen}"]`);
    if (tab) list.current?.scrollTo({ left: tab.offsetLeft - (list.current.clientWidth - tab.offsetWidth) / 2 });
  }, [chosen]);
  const onKey = (event: KeyboardEvent) => {
    const at = tabs.findIndex((tab) => tab.id === chosen);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length];
    if (!next) return;
    choose(next.id);
    list.current?.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
  };
  return (
    <>
      <div ref={list} role="tablist" aria-label={label} className={styles.list} onKeyDown={onKey}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${id}-${tab.id}`}
            data-tab={tab.id}
            className={styles.tab}
            aria-selected={tab.id === chosen}
            aria-controls={`${id}-page`}
            tabIndex={tab.id === chosen ? 0 : -1}
            onClick={() => choose(tab.id)}
          >
            {tab.icon && <Icon name={tab.icon} />}
            {tab.name}
            {tab.note !== undefined && <span className={styles.note}>{tab.note}</span>}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-page`} aria-labelledby={`${id}-${chosen}`} className={styles.page}>
        {children}
      </div>
    </>
  );
}
