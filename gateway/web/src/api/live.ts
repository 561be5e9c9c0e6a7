// What happens, as it happens: one event stream of the server, kept alive.
//
// Promises: after a lost connection it comes again by itself and goes on after the last event that was seen, so that nothing is missed;
// a connection that has silently died, as behind a laptop's lid, is noticed; it lets go of the connection while nobody looks at the page
// for a while (browsers allow few of them); events may repeat, and since each carries a whole job the newest wins.
import { eventReader } from "./event-stream";

/** How a stream stands. */
export type LiveState = "connecting" | "open" | "lost";

export interface LiveEvents {
  /** A job, whole, as JSON. */
  job?: (data: string) => void;
  /** Too much was missed: read everything again. */
  reset?: () => void;
  state?: (state: LiveState) => void;
}

/** First and longest wait before another try, in milliseconds. */
const [FIRST_WAIT, LONGEST_WAIT] = [500, 10_000];
/** How long a stream must have lasted for the next try to come at once again: one that ends as soon as it is open is as good as none. */
const LASTED = 5000;
/** The server shows every 15 s that it is alive: one that is silent for so many milliseconds is not. */
const SILENCE = 40_000;
/** How long a page may be hidden before it lets go, in milliseconds. */
const PATIENCE = 30_000;

/** Follows `path` until the returned function is called. */
export function follow(path: string, events: LiveEvents): () => void {
  let stream: AbortController | null = null;
  let last: string | null = null;
  let wait = FIRST_WAIT;
  let again: ReturnType<typeof setTimeout> | undefined;
  let letGo: ReturnType<typeof setTimeout> | undefined;
  let forgotten = false;

  const close = () => {
    clearTimeout(again);
    stream?.abort();
    stream = null;
  };
  /** Reads one stream to its end; says in how many milliseconds the server wants to be asked again, if it does. */
  const read = async (signal: AbortSignal, heard: () => void): Promise<number> => {
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (last) headers["last-event-id"] = last;
    const answer = await fetch(path, { headers, signal, cache: "no-store" });
    heard();
    if (!answer.ok || !answer.body) {
      // An event that the server does not know any more is refused every time.
      if (answer.status === 400 && last) {
        last = null;
        forgotten = true;
      }
      return 1000 * (Number(answer.headers.get("retry-after")) || 0);
    }
    events.state?.("open");
    if (forgotten) events.reset?.();
    forgotten = false;
    const feed = eventReader((event) => {
      if (signal.aborted) return;
      if (event.id) last = event.id;
      if (event.name === "job") events.job?.(event.data);
      else if (event.name === "reset") events.reset?.();
    });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return 0;
      heard();
      feed(value);
    }
  };
  const open = async () => {
    close();
    const mine = new AbortController();
    stream = mine;
    const since = performance.now();
    let silence: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => mine.abort(), SILENCE);
    };
    heard();
    const asked = await read(mine.signal, heard).catch(() => 0);
    clearTimeout(silence);
    // Closed on purpose, or another one is open already.
    if (stream !== mine) return;
    mine.abort();
    stream = null;
    events.state?.("lost");
    if (performance.now() - since > LASTED) wait = FIRST_WAIT;
    again = setTimeout(() => void open(), Math.max(asked, wait) * (0.75 + Math.random() / 2));
    wait = Math.min(LONGEST_WAIT, wait * 2);
  };
  const onVisibility = () => {
    clearTimeout(letGo);
    if (document.hidden) letGo = setTimeout(close, PATIENCE);
    else if (!stream) {
      wait = FIRST_WAIT;
      void open();
    }
  };
  // Whatever was open before another network came is worth nothing.
  const onOnline = () => {
    wait = FIRST_WAIT;
    void open();
  };

  events.state?.("connecting");
  void open();
  document.addEventListener("visibilitychange", onVisibility);
  window.addEventListener("online", onOnline);
  return () => {
    close();
    clearTimeout(letGo);
    document.removeEventListener("visibilitychange", onVisibility);
    window.removeEventListener("online", onOnline);
  };
}
