// Which montages are made: none in the list makes one of everything; each has its title, and folded away what it takes.
import { useRef } from "react";
import { Button } from "../../ui/button";
import { Fold } from "../../ui/fold";
import styles from "./editor.module.css";
import {
  MIXES,
  MOST_MONTAGES,
  type MontageForm,
  newKey,
  OF,
  ORDERS,
  PATTERNS,
  SELECTION,
  toMontage,
  toMontageForm,
} from "./montage-form";
import { ofWords, selectionWords } from "./rule-words";
import { ChoiceSpot, isWrong, type Spots, TextSpot } from "./spot-fields";

interface MontageFieldsProps {
  montages: MontageForm[];
  /** With `moved` where they stand at other places now. */
  change: (montages: MontageForm[], moved?: boolean) => void;
  mistakes: Record<string, string>;
}

export function MontageFields({ montages, change, mistakes }: MontageFieldsProps) {
  const box = useRef<HTMLDivElement>(null);
  /** Goes to what is there only once it is shown. */
  const go = (place: string) => setTimeout(() => box.current?.querySelector<HTMLElement>(place)?.focus());
  const add = () => {
    const key = newKey(montages);
    change([...montages, toMontageForm({}, key)]);
    go(`[data-montage="${key}"] select`);
  };
  return (
    <div ref={box} className={styles.montages}>
      {mistakes.montages && <p className={styles.mistake}>{mistakes.montages}</p>}
      {montages.length === 0 && (
        <>
          <p>One montage of everything that the source lists, as it comes. Or begin with one of these:</p>
          <div className={styles.patterns}>
            {PATTERNS.map((pattern) => (
              <Button
                key={pattern.name}
                look="plain"
                small
                onClick={() => {
                  change(pattern.montages.map(toMontageForm));
                  go("[data-montage] select");
                }}
              >
                {pattern.name}
              </Button>
            ))}
          </div>
        </>
      )}
      {montages.length > 0 && (
        <p className="soft small">
          In titles {"{date}"} is the day of the run, {"{from}"} and {"{to}"} the days asked for, {"{streamer}"} whose
          montage it is, {"{count}"} its number of highlights, {"{name}"} the schedule’s name.
        </p>
      )}
      {montages.map((montage, index) => (
        <MontageField
          key={montage.key}
          montage={montage}
          index={index}
          change={(changed) => change(montages.map((old) => (old.key === changed.key ? changed : old)))}
          remove={() => {
            change(
              montages.filter((old) => old.key !== montage.key),
              true,
            );
            go("[data-add]");
          }}
          mistakes={mistakes}
        />
      ))}
      {montages.length < MOST_MONTAGES && (
        <div>
          <Button look="plain" small icon="make" data-add onClick={add}>
            {montages.length === 0 ? "Say which montages" : "Add a montage"}
          </Button>
        </div>
      )}
    </div>
  );
}

interface MontageFieldProps {
  montage: MontageForm;
  index: number;
  change: (montage: MontageForm) => void;
  remove: () => void;
  mistakes: Record<string, string>;
}

const TITLE_HELP = "{date}, {from}, {to}, {streamer}, {count} and {name} can stand in it.";

function MontageField({ montage, index, change, remove, mistakes }: MontageFieldProps) {
  const of: Spots = {
    at: `montages/${index}`,
    texts: montage.texts,
    change: (texts) => change({ ...montage, texts }),
    mistakes,
  };
  const made = toMontage(montage);
  const labels = Object.entries((made.labels ?? {}) as Record<string, string>);
  return (
    <fieldset className={styles.montage} data-montage={montage.key}>
      <legend>
        Montage {index + 1}: {ofWords(made)}
      </legend>
      <div className={styles.columns}>
        <ChoiceSpot of={of} spot="of" label="How many" values={OF} />
        <TextSpot
          of={of}
          spot="title"
          label="Title"
          placeholder="the one below"
          maxLength={200}
          autoCapitalize="sentences"
          spellCheck
          help={TITLE_HELP}
        />
      </div>
      <Fold
        title={
          <>
            Which highlights <span className={styles.summary}>{selectionWords(made.select).join(", ")}</span>
          </>
        }
        wrong={isWrong(of, "highlight_title", ...SELECTION.map(({ place }) => place))}
      >
        <SelectionFields of={of} />
        {labels.length > 0 && (
          <p className="soft small">Its labels stay: {labels.map(([name, value]) => `${name}: ${value}`).join(", ")}</p>
        )}
      </Fold>
      <div className={styles.actions}>
        <Button look="quiet" small icon="close" onClick={remove}>
          Remove montage {index + 1}
        </Button>
      </div>
    </fieldset>
  );
}

function SelectionFields({ of }: { of: Spots }) {
  const whole = { type: "number", min: 1, max: 1_000_000, step: 1, placeholder: "all" } as const;
  const isBounded = Boolean(of.texts["select/top"] || of.texts["select/budget"]);
  return (
    <div className={styles.columns}>
      <ChoiceSpot of={of} spot="select/order" label="In which order" values={ORDERS} />
      {of.texts["select/order"] === "shuffle" && (
        <TextSpot
          of={of}
          spot="select/seed"
          label="Seed"
          type="number"
          step={1}
          placeholder="0"
          help="Another number shuffles in another way; the same in the same way."
        />
      )}
      <TextSpot of={of} spot="select/top" label="At most, in all" {...whole} placeholder="500" />
      <TextSpot
        of={of}
        spot="select/budget"
        label="At most so much time"
        placeholder="no limit"
        help="Such as 90s or 10:00. What does not fit is left out."
      />
      {isBounded && <ChoiceSpot of={of} spot="select/mix" label="If not all can be taken" values={MIXES} />}
      <TextSpot of={of} spot="select/per_streamer" label="At most, of one streamer" {...whole} help="The best." />
      <TextSpot of={of} spot="select/per_video" label="At most, of one video" {...whole} help="The best." />
      <TextSpot
        of={of}
        spot="select/minimum_score"
        label="Lowest score"
        type="number"
        step="any"
        placeholder="any"
        help="Those without a score are left out then."
      />
      <TextSpot of={of} spot="select/padding/before" label="Added before each" placeholder="0s" help="Such as 2.5s." />
      <TextSpot of={of} spot="select/padding/after" label="Added after each" placeholder="0s" />
      <ChoiceSpot
        of={of}
        spot="select/merge"
        label="Those that overlap"
        values={{ yes: "become one", no: "stay apart" }}
      />
      <TextSpot
        of={of}
        spot="highlight_title"
        label="Title of each highlight"
        placeholder="its own"
        maxLength={200}
        autoCapitalize="sentences"
        spellCheck
        help="{title}, {streamer}, {score}, {day} are its own, {number} is its place."
      />
    </div>
  );
}
