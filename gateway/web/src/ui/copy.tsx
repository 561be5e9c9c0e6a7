// A button that puts a text on the clipboard and says whether it did.
import { useEffect, useState } from "react";
import { copyText } from "../lib/copy";
import { Button, type Look } from "./button";

/** How long it says that it is done, in milliseconds. */
const SAID = 3000;

interface CopyProps {
  text: string;
  /** What the button says. */
  children: string;
  look?: Look;
  small?: boolean;
}

export function CopyButton({ text, children, look = "plain", small }: CopyProps) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (!said) return;
    const timer = setTimeout(() => setSaid(""), SAID);
    return () => clearTimeout(timer);
  }, [said]);
  return (
    <>
      <Button
        look={look}
        small={small}
        icon={said === "Copied" ? "check" : "copy"}
        onClick={() =>
          void copyText(text).then((done) => setSaid(done ? "Copied" : "Not copied: select the text yourself"))
        }
      >
        {said || children}
      </Button>
      <span role="status" className="hidden-text">
        {said}
      </span>
    </>
  );
}
