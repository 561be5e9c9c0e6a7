// The fourth step: how it is made. Everything has a sane default, so that nobody has to open any of it.
import { Field } from "../../../ui/field";
import { Group, Groups } from "../../../ui/group";
import { LabelsField } from "../../../ui/labels";
import { useDraft } from "../draft/store";
import { useMistakes } from "../mistakes";
import { Step } from "../step";
import { Choices, change, Text } from "./fields";
import styles from "./options.module.css";
import { Bookends, Picture } from "./picture";
import { CUTS, ENGINES, SHOWS, summaries, TRANSITIONS } from "./words";

export function Options() {
  const options = useDraft((draft) => draft.options);
  const { at } = useMistakes();
  const first = useDraft((draft) => draft.clips.find((clip) => clip.title.trim())?.title.trim());
  const moves = options.cut === "snap" || options.cut === "auto";
  return (
    <Step id="options" number={4} title="Choose how it is made">
      <Field
        label="Title of the montage"
        help={`What it is called in the library. If you leave it empty: ${first ? `“${first}”` : "the first clip's title"}.`}
        mistake={at("/title")}
      >
        {(control) => (
          <input
            {...control}
            maxLength={200}
            autoComplete="off"
            value={options.title}
            onChange={(event) => change({ title: event.target.value })}
          />
        )}
      </Field>
      <Groups>
        <Group name="Cut" chosen={summaries.cut(options)} mistake={at("/spec/cut")}>
          <Choices
            name="cut"
            legend="How clips are cut"
            choices={CUTS}
            value={options.cut}
            set={(cut) => change({ cut })}
          />
          {moves && (
            <Text
              label="By how much at most"
              help="Seconds that a start or an end may move; 0.5 if you leave it empty, 10 at most."
              mistake={at("/spec/cut/tolerance")}
              value={options.tolerance}
              set={(tolerance) => change({ tolerance })}
              isNumber
            />
          )}
        </Group>
        <Group name="Picture" chosen={summaries.picture(options)} mistake={at("/spec/canvas")}>
          <Picture options={options} />
        </Group>
        <Group name="Sound" chosen={summaries.sound(options)} mistake={at("/spec/audio")}>
          <label className={styles.check}>
            <input
              type="checkbox"
              checked={options.levelled}
              onChange={(event) => change({ levelled: event.target.checked })}
            />
            Level all clips to the same loudness
          </label>
          {options.levelled ? (
            <Text
              label="Loudness, in LUFS"
              help="−16 is usual on the web, −23 in television. From −40 to −5."
              mistake={at("/spec/audio/loudness_lufs")}
              value={options.loudness}
              set={(loudness) => change({ loudness })}
              isNumber
            />
          ) : (
            <p className="soft small">Each clip sounds as it was recorded; sound that is alike is copied.</p>
          )}
        </Group>
        <Group
          name="Between and over the clips"
          chosen={summaries.between(options)}
          mistake={at("/spec/transition") ?? at("/spec/titles")}
        >
          <Choices
            name="transition"
            legend="Between clips"
            choices={TRANSITIONS}
            value={options.transition}
            set={(transition) => change({ transition })}
          />
          {options.transition !== "none" && (
            <Text
              label="How long a transition is"
              help="In seconds, 0.1 to 5; 0.5 if you leave it empty."
              mistake={at("/spec/transition/duration")}
              value={options.transitionLength}
              set={(transitionLength) => change({ transitionLength })}
              isNumber
            />
          )}
          {options.transition === "dip" && (
            <Field label="Colour" mistake={at("/spec/transition/colour")}>
              {(control) => (
                <input
                  {...control}
                  type="color"
                  className={styles.colour}
                  value={options.colour}
                  onChange={(event) => change({ colour: event.target.value })}
                />
              )}
            </Field>
          )}
          <Choices
            name="show"
            legend="Written over each clip when it begins"
            choices={SHOWS}
            value={options.show}
            set={(show) => change({ show })}
          />
          {options.show !== "none" && (
            <Text
              label="For how long"
              help="In seconds, 0.5 to 60; 4 if you leave it empty."
              mistake={at("/spec/titles/seconds")}
              value={options.showLength}
              set={(showLength) => change({ showLength })}
              isNumber
            />
          )}
        </Group>
        <Group
          name="Before and after"
          chosen={summaries.ends(options)}
          mistake={at("/spec/intro") ?? at("/spec/outro")}
        >
          <Bookends options={options} />
        </Group>
        <Group name="Captions" chosen={summaries.captions(options)} mistake={at("/spec/transcribe")}>
          <Choices
            name="engine"
            legend="Who writes down what is said"
            choices={ENGINES}
            value={options.engine}
            set={(engine) => change({ engine })}
          />
          {options.engine !== "none" && (
            <Text
              label="Language of the speech"
              help="Such as en or ja; if you leave it empty, the one that is set up."
              mistake={at("/spec/transcribe/language")}
              value={options.language}
              set={(language) => change({ language })}
            />
          )}
        </Group>
        <Group name="Order" chosen={summaries.order(options)} mistake={at("/spec/order")}>
          <Choices
            name="order"
            legend="In which order the clips stand"
            choices={[
              { value: "given", name: "As in the list", means: "In the order in which you put them." },
              { value: "score", name: "The best first", means: "By score; those without one come last." },
            ]}
            value={options.order}
            set={(order) => change({ order })}
          />
        </Group>
        <Group
          name="When, and labels"
          chosen={summaries.when(options)}
          mistake={at("/run_at") ?? at("/priority") ?? at("/labels")}
        >
          <Field label="Not before" help="In your own time; at once if you leave it empty." mistake={at("/run_at")}>
            {(control) => (
              <input
                {...control}
                type="datetime-local"
                value={options.runAt}
                onChange={(event) => change({ runAt: event.target.value })}
              />
            )}
          </Field>
          <Text
            label="Priority"
            help="Jobs with a higher one go first: from −100 to 100."
            mistake={at("/priority")}
            value={options.priority}
            set={(priority) => change({ priority })}
            isNumber
          />
          <LabelsField
            rows={options.labels}
            change={(labels) => change({ labels })}
            help="Names and values of your own, by which the library can be filtered."
            mistake={at("/labels")}
          />
        </Group>
      </Groups>
    </Step>
  );
}
