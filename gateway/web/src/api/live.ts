// What happens, as it happens: one event stream of the server, kept alive.
//
// Promises: after a lost connection it comes again by itself and goes on after the last event that was seen, so that nothing is missed;
// it lets go of the connection while nobody looks at the page for a while (browsers allow few of them); events may repeat, and since each
// carries a whole job the newest wins.

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
/** After so many tries in vain the last event is forgotten: a server that does not know it any more refuses it every time. */
const TRIES = 3;
/** How long a page may be hidden before it lets go, in milliseconds. */
const PATIENCE = 30_000;

/** Follows `path` until the returned function is called. */
export function follow(path: string, events: LiveEvents): () => void {
  let source: EventSource | null = null;
  let last: string | null = null;
  let wait = FIRST_WAIT;
  let again: ReturnType<typeof setTimeout> | undefined;
  let letGo: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  let since = Number.POSITIVE_INFINITY;
  let inVain = 0;
  let forgotten = false;

  const close = () => {
    clearTimeout(again);
    source?.close();
    source = null;
  };
  const note = (event: MessageEvent) => {
    if (event.lastEventId) last = event.lastEventId;
  };
  const open = () => {
    close();
    if (ended) return;
    const url = new URL(path, location.href);
    if (last) url.searchParams.set("after", last);
    const opened = new EventSource(url);
    source = opened;
    opened.addEventListener("open", () => {
      since = performance.now();
      inVain = 0;
      events.state?.("open");
      if (forgotten) events.reset?.();
      forgotten = false;
    });
    opened.addEventListener("hello", note);
    opened.addEventListener("job", (event) => {
      note(event);
      events.job?.(event.data);
    });
    opened.addEventListener("reset", (event) => {
      note(event);
      events.reset?.();
    });
    opened.addEventListener("error", () => {
      if (source !== opened) return;
      events.state?.("lost");
      if (performance.now() - since > LASTED) wait = FIRST_WAIT;
      if (since === Number.POSITIVE_INFINITY) inVain += 1;
      if (inVain >= TRIES && last) {
        last = null;
        forgotten = true;
      }
      since = Number.POSITIVE_INFINITY;
      // The browser's own retries give up on an answer that is not a stream, and know no growing wait: ours do not.
      close();
      again = setTimeout(open, wait * (0.75 + Math.random() / 2));
      wait = Math.min(LONGEST_WAIT, wait * 2);
    });
  };
  const onVisibility = () => {
    clearTimeout(letGo);
    if (document.hidden) letGo = setTimeout(close, PATIENCE);
    else if (!source) {
      wait = FIRST_WAIT;
      open();
    }
  };
  const onOnline = () => {
    wait = FIRST_WAIT;
    if (!source) open();
  };

  events.state?.("connecting");
  open();
  document.addEventListener("visibilitychange", onVisibility);
  window.addEventListener("online", onOnline);
  return () => {
    ended = true;
    close();
    clearTimeout(letGo);
    document.removeEventListener("visibilitychange", onVisibility);
    window.removeEventListener("online", onOnline);
  };
}
