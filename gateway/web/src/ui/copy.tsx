// Copies a text, also where the browser keeps its clipboard from pages that did not come over HTTPS.
import { useEffect, useState } from "react";
import { Button, type Look } from "./button";

/** How long it says that it is done, in milliseconds. */
const SAID = 3000;

async function copy(text: string, beside: HTMLElement): Promise<boolean> {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  // What is outside of an open dialog cannot be selected: so it is put beside the button.
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "hidden-text";
  beside.after(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  beside.focus();
  return done;
}

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
        onClick={(event) =>
          void copy(text, event.currentTarget).then((done) =>
            setSaid(done ? "Copied" : "The browser does not let the page copy: select the text and copy it yourself"),
          )
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
