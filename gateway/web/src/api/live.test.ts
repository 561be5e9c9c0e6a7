import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { follow } from "./live";

/** A server: what it was asked, and the streams that it has open. */
function serve() {
  const asked: (string | null)[] = [];
  const open: ReadableStreamDefaultController<Uint8Array>[] = [];
  let refusal: Response | undefined;
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
    asked.push(new Headers(init.headers).get("last-event-id"));
    if (refusal) return refusal.clone();
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        open.push(controller);
        init.signal?.addEventListener("abort", () => {
          try {
            controller.error(new DOMException("aborted", "AbortError"));
          } catch {
            // It has ended already.
          }
        });
      },
    });
    return new Response(body, { status: 200, headers: { "content-type": "text/event-stream" } });
  });
  return {
    asked,
    send: (text: string) => open.at(-1)?.enqueue(new TextEncoder().encode(text)),
    end: () => open.at(-1)?.close(),
    refuse: (response: Response | undefined) => {
      refusal = response;
    },
  };
}

const said: string[] = [];
let stop = () => {};
const begin = () => {
  stop = follow("/v1/events", {
    job: (data) => said.push(data),
    reset: () => said.push("reset"),
    state: (state) => said.push(state),
  });
};
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

describe("following", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    said.length = 0;
  });
  afterEach(() => {
    stop();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("goes on after the last event when the stream has ended", async () => {
    const server = serve();
    begin();
    await pass(0);
    server.send("event: hello\nid: a\ndata: {}\n\nevent: job\nid: b\ndata: 1\n\n");
    await pass(0);
    server.end();
    await pass(2000);
    server.send("event: job\nid: c\ndata: 2\n\n");
    await pass(0);
    expect(said).toEqual(["connecting", "open", "1", "lost", "open", "2"]);
    expect(server.asked).toEqual([null, "b"]);
  });
  it("notices a connection that has died in silence, and no living one", async () => {
    const server = serve();
    begin();
    await pass(0);
    for (let beat = 0; beat < 5; beat += 1) {
      await pass(15_000);
      server.send(": alive\n\n");
    }
    await pass(30_000);
    expect(said).toEqual(["connecting", "open"]);
    await pass(15_000);
    expect(said).toEqual(["connecting", "open", "lost", "open"]);
  });
  it("forgets an event that the server does not know any more, and reads everything again", async () => {
    const server = serve();
    begin();
    await pass(0);
    server.send("event: hello\nid: old\ndata: {}\n\n");
    await pass(0);
    server.refuse(new Response("{}", { status: 400 }));
    server.end();
    await pass(1000);
    server.refuse(undefined);
    await pass(3000);
    expect(server.asked).toEqual([null, "old", null]);
    expect(said).toEqual(["connecting", "open", "lost", "lost", "open", "reset"]);
  });
  it("waits longer and longer, and as long as it is told to", async () => {
    const server = serve();
    server.refuse(new Response("{}", { status: 502 }));
    begin();
    await pass(60_000);
    // At once, then after about 0.5, 1, 2, 4, 8, 10, 10 … seconds.
    expect(server.asked.length).toBeGreaterThan(6);
    expect(server.asked.length).toBeLessThan(13);
    server.refuse(new Response("{}", { status: 503, headers: { "retry-after": "100" } }));
    await pass(15_000);
    const before = server.asked.length;
    await pass(60_000);
    expect(server.asked.length).toBe(before);
  });
  it("stops when it is told to", async () => {
    const server = serve();
    begin();
    await pass(0);
    stop();
    // Nobody takes it any more.
    expect(() => server.send("event: job\ndata: 1\n\n")).toThrow();
    await pass(100_000);
    expect(said).toEqual(["connecting", "open"]);
    expect(server.asked).toHaveLength(1);
  });
});
