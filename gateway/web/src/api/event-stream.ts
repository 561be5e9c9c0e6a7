// Reads `text/event-stream` piece by piece, as browsers do. By our own means since those of browsers do not say why a stream was refused,
// and do not notice one that has fallen silent.

export interface StreamEvent {
  name: string;
  data: string;
  /** The id of the newest event that had one. */
  id: string | null;
}

/** Takes pieces of a stream's text, cut anywhere, and hands on each event when it is whole. */
export function eventReader(take: (event: StreamEvent) => void): (piece: string) => void {
  let rest = "";
  let name = "message";
  let data: string[] = [];
  let id: string | null = null;
  const line = (text: string) => {
    if (text === "") {
      if (data.length > 0) take({ name, data: data.join("\n"), id });
      name = "message";
      data = [];
      return;
    }
    const colon = text.indexOf(":");
    // A line that begins with a colon is a comment, such as those that keep the stream alive.
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
    else if (field === "id" && !value.includes("\0")) id = value;
  };
  return (piece) => {
    rest += piece;
    // A carriage return at the end may be half of a line's end.
    const whole = rest.endsWith("\r") ? rest.slice(0, -1) : rest;
    const lines = whole.split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? "") + rest.slice(whole.length);
    for (const text of lines) line(text);
  };
}
