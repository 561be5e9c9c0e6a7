// Files that are dropped anywhere on the page: videos are uploaded, lists of moments are imported.
import { useEffect, useState } from "react";
import styles from "./drop.module.css";
import { sendFiles } from "./uploads";

/** Names of files that are lists. */
const LIST = /\.(csv|tsv|edl|otio|txt)$/i;

export function DropArea({ importList }: { importList: (file: File) => void }) {
  const [over, setOver] = useState(false);
  useEffect(() => {
    // Elements inside the page tell of entering and leaving too: only what is balanced means out of the window.
    let depth = 0;
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const onEnter = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth += 1;
      setOver(true);
    };
    const onOver = (event: DragEvent) => {
      if (hasFiles(event)) event.preventDefault();
    };
    const onLeave = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      depth -= 1;
      if (depth <= 0) setOver(false);
    };
    const onDrop = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      sendFiles(files.filter((file) => !LIST.test(file.name)));
      const list = files.find((file) => LIST.test(file.name));
      if (list) importList(list);
    };
    window.addEventListener("dragenter", onEnter);
    window.addEventListener("dragover", onOver);
    window.addEventListener("dragleave", onLeave);
    window.addEventListener("drop", onDrop);
    return () => {
      window.removeEventListener("dragenter", onEnter);
      window.removeEventListener("dragover", onOver);
      window.removeEventListener("dragleave", onLeave);
      window.removeEventListener("drop", onDrop);
    };
  }, [importList]);
  if (!over) return null;
  return (
    <div className={styles.area}>
      <p>Drop videos to upload them, or a list of moments to import it.</p>
    </div>
  );
}
