// Run it with: WEBHOOK_SECRET=whsec_… PORT=3000 node receiver.mjs
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const key = Buffer.from(process.env.WEBHOOK_SECRET.replace("whsec_", ""), "base64");

function isOurs(headers, body) {
  const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures = "" } = headers;
  // What is older than five minutes may have been overheard and sent again.
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < 300)) return false;
  const wanted = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
  // After a rotation there are two, with a blank between them: one of them has to be right.
  return signatures.split(" ").some((signature) => {
    const [version, text = ""] = signature.split(",");
    const shown = Buffer.from(text, "base64");
    return version === "v1" && shown.length === wanted.length && timingSafeEqual(shown, wanted);
  });
}

async function take(request, response) {
  // The signature is of the bytes as they come: check them before they are read as JSON.
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const body = Buffer.concat(pieces);
  if (!isOurs(request.headers, body)) return response.writeHead(401).end();
  // Answer first, work later: a call ends after 15 seconds.
  response.writeHead(204).end();
  const { type, data } = JSON.parse(body);
  console.log(type, data.title);
}

const server = createServer((request, response) => {
  take(request, response).catch(() => response.destroy());
});
server.listen(process.env.PORT, "127.0.0.1", () => {
  console.log(`listening on port ${server.address().port}`);
});
