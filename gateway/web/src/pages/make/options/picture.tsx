// Two groups of options: the picture that all clips are put on, and what stands before and after them.
import { useState } from "react";
import { Field } from "../../../ui/field";
import type { DraftBookend, Options } from "../draft/model";
import { useDraft } from "../draft/store";
import { useMistakes } from "../mistakes";
import { Choices, change, Text } from "./fields";
import styles from "./options.module.css";
import { CODECS, SIZES } from "./words";

export function Picture({ options }: { options: Options }) {
  const { at } = useMistakes();
  const isAuto = options.width === "" && options.height === "";
  const usual = SIZES.find((size) => size.width === options.width && size.height === options.height);
  const [isOwn, setOwn] = useState(!isAuto && !usual);
  const chosen = isOwn ? "own" : isAuto ? "auto" : usual ? `${usual.width}x${usual.height}` : "own";
  return (
    <>
      <Field
        label="Size"
        help="As the sources: the size that most frames can be copied in. Clips of another shape get bars."
      >
        {(control) => (
          <select
            {...control}
            value={chosen}
            onChange={(event) => {
              const size = SIZES.find((one) => `${one.width}x${one.height}` === event.target.value);
              setOwn(event.target.value === "own");
              if (size) change({ width: size.width, height: size.height });
              else if (event.target.value === "auto") change({ width: "", height: "" });
            }}
          >
            <option value="auto">As the sources</option>
            {SIZES.map((size) => (
              <option key={size.name} value={`${size.width}x${size.height}`}>
                {size.name}
              </option>
            ))}
            <option value="own">Another size</option>
          </select>
        )}
      </Field>
      {chosen === "own" && (
        <div className={styles.pair}>
          <Text
            label="Width"
            help="Pixels, even, up to 7680."
            mistake={at("/spec/canvas/width")}
            value={options.width}
            set={(width) => change({ width })}
            isNumber
          />
          <Text
            label="Height"
            help="Pixels, even, up to 4320."
            mistake={at("/spec/canvas/height")}
            value={options.height}
            set={(height) => change({ height })}
            isNumber
          />
        </div>
      )}
      <Text
        label="Frames a second"
        help="Such as 60, 29.97 or 30000/1001; as the sources if you leave it empty."
        mistake={at("/spec/canvas/frame_rate")}
        value={options.frameRate}
        set={(frameRate) => change({ frameRate })}
      />
      <Choices
        name="codec"
        legend="How the video is coded"
        choices={CODECS}
        value={options.codec}
        set={(codec) => change({ codec })}
      />
    </>
  );
}

export function Bookends({ options }: { options: Options }) {
  return (
    <>
      <Bookend name="intro" label="Before the first clip" value={options.intro} set={(intro) => change({ intro })} />
      <Bookend name="outro" label="After the last clip" value={options.outro} set={(outro) => change({ outro })} />
    </>
  );
}

interface BookendProps {
  name: "intro" | "outro";
  label: string;
  value: DraftBookend;
  set: (value: DraftBookend) => void;
}

function Bookend({ name, label, value, set }: BookendProps) {
  const { at } = useMistakes();
  const sources = useDraft((draft) => draft.sources);
  return (
    <div className={styles.bookend}>
      <Field
        label={label}
        help="One of the sources above. It is neither a chapter nor a clip of the list."
        mistake={at(`/spec/${name}/source`)}
      >
        {(control) => (
          <select {...control} value={value.source} onChange={(event) => set({ ...value, source: event.target.value })}>
            <option value="">Nothing</option>
            {sources.map((source) => (
              <option key={source.key} value={source.key}>
                {source.name}
              </option>
            ))}
          </select>
        )}
      </Field>
      {value.source && (
        <div className={styles.pair}>
          <Text
            label="From"
            help="Its beginning, if you leave it empty."
            mistake={at(`/spec/${name}/start`)}
            value={value.start}
            set={(start) => set({ ...value, start })}
          />
          <Text
            label="To"
            help="Its end, if you leave it empty."
            mistake={at(`/spec/${name}/end`) ?? at(`/spec/${name}/duration`)}
            value={value.end}
            set={(end) => set({ ...value, end })}
          />
        </div>
      )}
    </div>
  );
}
