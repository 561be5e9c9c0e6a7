// The keys of the player, and the way to switch the single ones off.
import { useId, useState } from "react";
import { Dialog } from "../../../ui/dialog";
import styles from "./help.module.css";
import { HELP, signsOn, switchSigns } from "./keys";

export function KeyHelp({ close }: { close: () => void }) {
  const id = useId();
  const [on, setOn] = useState(signsOn);
  return (
    <Dialog title="Keys of the player" close={close}>
      <table className={styles.keys}>
        <thead className="hidden-text">
          <tr>
            <th scope="col">Keys</th>
            <th scope="col">What they do</th>
          </tr>
        </thead>
        <tbody>
          {HELP.map(({ keys, what }) => (
            <tr key={what}>
              <td>
                {keys.map((key, index) => (
                  <span key={key}>
                    {index > 0 && " "}
                    <kbd>{key}</kbd>
                  </span>
                ))}
              </td>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="soft small">They work anywhere on this page, except where something is typed.</p>
      <div className={styles.choice}>
        <input
          id={id}
          type="checkbox"
          checked={on}
          onChange={(event) => {
            setOn(event.target.checked);
            switchSigns(event.target.checked);
          }}
        />
        <label htmlFor={id}>Use keys of a single letter or sign</label>
      </div>
    </Dialog>
  );
}
