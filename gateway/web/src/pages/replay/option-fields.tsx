// The options of a replay's video, group by group.
import { count } from "../../lib/format";
import { Field } from "../../ui/field";
import { Group, Groups } from "../../ui/group";
import { type Chosen, changesOf, chosenOf, GROUPS, type Option, type OptionGroup } from "./options";
import styles from "./replay.module.css";

interface OptionFieldsProps {
  chosen: Chosen;
  mistakes: Record<string, string>;
  choose: (path: string, value: boolean | string) => void;
}

export function OptionFields({ chosen, mistakes, choose }: OptionFieldsProps) {
  return (
    <Groups>
      {GROUPS.map((group) => (
        <Group
          key={group.name}
          name={group.name}
          chosen={chosenWords(group, chosen)}
          mistake={wrongWords(group, mistakes)}
        >
          <div className={styles.options}>
            {group.options.map((option) => (
              <OptionField
                key={option.path}
                option={option}
                value={chosenOf(option, chosen)}
                mistake={mistakes[option.path]}
                choose={(value) => choose(option.path, value)}
              />
            ))}
          </div>
        </Group>
      ))}
    </Groups>
  );
}

/** How much of a group was changed. */
function chosenWords(group: OptionGroup, chosen: Chosen): string {
  const changes = changesOf(group, chosen);
  return changes === 0 ? "as usual" : count(changes, "change");
}

/** How many mistakes there are in a group; undefined where there is none. */
function wrongWords(group: OptionGroup, mistakes: Record<string, string>): string | undefined {
  const wrong = group.options.filter((option) => mistakes[option.path]).length;
  return wrong > 0 ? count(wrong, "mistake") : undefined;
}

interface OptionFieldProps {
  option: Option;
  value: boolean | string;
  mistake: string | undefined;
  choose: (value: boolean | string) => void;
}

function OptionField({ option, value, mistake, choose }: OptionFieldProps) {
  if (option.kind === "switch") {
    return (
      <label className={styles.switch}>
        <input type="checkbox" checked={value === true} onChange={(event) => choose(event.target.checked)} />
        <span>{option.label}</span>
      </label>
    );
  }
  const range =
    option.kind === "number" ? `${option.least} to ${option.most}${option.unit && ` ${option.unit}`}` : undefined;
  const help = [range, option.help].filter(Boolean).join(". ");
  return (
    <Field label={option.label} help={help} mistake={mistake}>
      {(control) =>
        option.kind === "choice" ? (
          <select {...control} value={String(value)} onChange={(event) => choose(event.target.value)}>
            {option.choices.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        ) : (
          <input
            {...control}
            inputMode="decimal"
            autoComplete="off"
            maxLength={20}
            value={String(value)}
            onChange={(event) => choose(event.target.value)}
          />
        )
      }
    </Field>
  );
}
