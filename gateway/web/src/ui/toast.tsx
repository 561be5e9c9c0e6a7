// Short messages at the page's edge: what was done, with a way to undo it; what did not work. Said to screen readers.
//
// Promises: a message with an action stays for at least 12 s, and while it is pointed at or holds the focus; it can be closed by keyboard.
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { Button } from "./button";
import styles from "./toast.module.css";

interface Message {
  id: number;
  text: string;
  bad: boolean;
  action?: { label: string; run: () => void };
}

interface Toasts {
  /** Something was done; `action` is how to undo it. */
  say: (text: string, action?: { label: string; run: () => void }) => void;
  /** Something did not work. */
  complain: (error: unknown) => void;
}

const Context = createContext<Toasts>({ say: () => {}, complain: () => {} });

export const useToasts = (): Toasts => useContext(Context);

/** How long a message stays, in milliseconds: without and with something to do. */
const [SHORT, LONG] = [6000, 12_000];
const MOST = 4;

export function ToastArea({ children }: { children: ReactNode }) {
  const [messages, setMessages] = useState<Message[]>([]);
  const next = useRef(0);
  const remove = useCallback((id: number) => setMessages((all) => all.filter((message) => message.id !== id)), []);
  const add = useCallback((message: Omit<Message, "id">) => {
    next.current += 1;
    const id = next.current;
    setMessages((all) => [...all.slice(1 - MOST), { ...message, id }]);
  }, []);
  const toasts = useMemo<Toasts>(
    () => ({
      say: (text, action) => add({ text, bad: false, action }),
      complain: (error) => add({ text: error instanceof Error ? error.message : String(error), bad: true }),
    }),
    [add],
  );
  return (
    <Context.Provider value={toasts}>
      {children}
      <section className={styles.area} aria-label="Messages" aria-live="polite">
        {messages.map((message) => (
          <Toast key={message.id} message={message} remove={remove} />
        ))}
      </section>
    </Context.Provider>
  );
}

function Toast({ message, remove }: { message: Message; remove: (id: number) => void }) {
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => remove(message.id), message.action || message.bad ? LONG : SHORT);
    return () => clearTimeout(timer);
  }, [held, message, remove]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only holds the message while somebody is at it; nothing is to be operated
    <div
      className={message.bad ? `${styles.toast} ${styles.bad}` : styles.toast}
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <span>{message.text}</span>
      {message.action && (
        <Button
          look="quiet"
          small
          onClick={() => {
            message.action?.run();
            remove(message.id);
          }}
        >
          {message.action.label}
        </Button>
      )}
      <Button look="quiet" small icon="close" label="Close the message" onClick={() => remove(message.id)} />
    </div>
  );
}
