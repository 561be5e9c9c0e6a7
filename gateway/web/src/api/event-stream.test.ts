import { expect, it } from "vitest";
import { eventReader, type StreamEvent } from "./event-stream";

const TEXT =
  ': hello\n\nevent: hello\nid: a1\ndata: {}\n\nevent:job\ndata: {"a":\ndata:  1}\nretry: 5\n\nid: a2\nevent: job\ndata\n\nevent: half\ndata: lost';

function read(pieces: string[]): StreamEvent[] {
  const events: StreamEvent[] = [];
  const feed = eventReader((event) => events.push(event));
  for (const piece of pieces) feed(piece);
  return events;
}

it("reads events the same, however the stream is cut and its lines end", () => {
  const events = [
    { name: "hello", data: "{}", id: "a1" },
    { name: "job", data: '{"a":\n 1}', id: "a1" },
    { name: "job", data: "", id: "a2" },
  ];
  expect(read([TEXT])).toEqual(events);
  expect(read([...TEXT])).toEqual(events);
  for (const end of ["\r\n", "\r"]) {
    const text = TEXT.replaceAll("\n", end);
    expect(read([...text])).toEqual(events);
    expect(read([text])).toEqual(events);
  }
});

it("takes comments, and events without data, for nothing", () => {
  expect(read([":\n\n", "event: job\nid: x\n\n", "data: y\n\n"])).toEqual([{ name: "message", data: "y", id: "x" }]);
});
