// What is done about runs that would all begin at once, were missed, or begin before the one before is done.
import { Field } from "../../ui/field";
import { Fold } from "../../ui/fold";
import { CATCH_UPS, jitterWords, OVERLAPS } from "./rule-words";
import type { Policies } from "./schedule-form";

/** How much later runs may begin that can be chosen, in seconds. */
const JITTERS = ["0", "60", "300", "900", "1800", "3600"];

interface PolicyFieldsProps {
  policies: Policies;
  change: (policies: Policies) => void;
  mistakes: Record<string, string>;
}

export function PolicyFields({ policies, change, mistakes }: PolicyFieldsProps) {
  const wrong = Boolean(mistakes.jitter ?? mistakes.catch_up ?? mistakes.overlap);
  const jitters = JITTERS.includes(policies.jitter) ? JITTERS : [...JITTERS, policies.jitter];
  const choices = [
    {
      name: "jitter",
      label: "A run begins",
      help: "Later ones do not all begin at once with other schedules. How much later is always the same.",
      values: Object.fromEntries(jitters.map((seconds) => [seconds, jitterWords(Number(seconds))])),
    },
    { name: "catch_up", label: "If runs were missed", help: "Because nothing was running then.", values: CATCH_UPS },
    { name: "overlap", label: "If jobs of the run before are not done", help: undefined, values: OVERLAPS },
  ] as const;
  return (
    <Fold title="Late, missed and overlapping runs" wrong={wrong}>
      {choices.map(({ name, label, help, values }) => (
        <Field key={name} label={label} help={help} mistake={mistakes[name]}>
          {(control) => (
            <select
              {...control}
              value={policies[name]}
              onChange={(event) => change({ ...policies, [name]: event.target.value })}
            >
              {Object.entries(values)
                .sort(([a], [b]) => (name === "jitter" ? Number(a) - Number(b) : 0))
                .map(([value, words]) => (
                  <option key={value} value={value}>
                    {words}
                  </option>
                ))}
            </select>
          )}
        </Field>
      ))}
    </Fold>
  );
}
