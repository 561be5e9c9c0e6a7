// Sends one file to the library, in pieces (tus), and over a lost connection.
import { Upload } from "tus-js-client";
import { ENDPOINT, mistakeOf, PIECE } from "../../lib/sending";

/** Waits between tries, in milliseconds. */
const WAITS = [0, 1000, 3000, 5000, 10_000];

/**
 * Sends a file; answers the upload's id.
 *
 * @throws {Error} with words for a person when the server does not take it, or it is stopped.
 */
export function sendFile(file: File, progress: (share: number) => void, stop: AbortSignal): Promise<string> {
  return new Promise((done, failed) => {
    const upload = new Upload(file, {
      endpoint: new URL(ENDPOINT, location.href).href,
      storeFingerprintForResuming: false,
      chunkSize: PIECE,
      retryDelays: WAITS,
      metadata: { filename: file.name },
      onProgress: (sent, total) => progress(total > 0 ? sent / total : 0),
      onSuccess: () => {
        const id = upload.url?.split("/").filter(Boolean).at(-1);
        if (id) done(id);
        else failed(new Error("The server did not say where the file is. Try again."));
      },
      onError: (error) => failed(new Error(mistakeOf(error))),
    });
    stop.addEventListener("abort", () => {
      void upload.abort(true).catch(() => {});
      failed(new Error("It was stopped."));
    });
    upload.start();
  });
}
