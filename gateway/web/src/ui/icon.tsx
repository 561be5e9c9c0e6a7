// The page's own icons, drawn on a grid of 24. They say nothing to screen readers: words stand beside them or in a label.
const PATHS = {
  library: "M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z",
  make: "M12 5v14M5 12h14",
  jobs: "M5 6h14M5 12h10M5 18h6M17 15l4 3-4 3z",
  schedules: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l3 2",
  operations: "M4 20V10M10 20V4M16 20v-7M21 20H3",
  search: "M11 5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM20 20l-4.5-4.5",
  close: "M6 6l12 12M18 6L6 18",
  play: "M8 5l11 7-11 7z",
  pause: "M8 5v14M16 5v14",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  up: "M12 19V5M6 11l6-6 6 6",
  down: "M12 5v14M6 13l6 6 6-6",
  left: "M19 12H5M11 6l-6 6 6 6",
  right: "M5 12h14M13 6l6 6-6 6",
  again: "M19 8a8 8 0 1 0 1 6M20 4v5h-5",
  trash: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13M10 11v5M14 11v5",
  edit: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  upload: "M12 16V5M7 9l5-5 5 5M5 20h14",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  copy: "M9 9h10v11H9zM5 15V4h10",
  check: "M5 12l5 5L20 7",
  warning: "M12 4l9 16H3zM12 10v4M12 17h.01",
  key: "M8 12a4 4 0 1 0 0 .01M12 12h9M18 12v4",
  drag: "M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01",
  captions: "M4 6h16v12H4zM8 11h3M8 14h5M14 11h2",
  filter: "M4 6h16M7 12h10M10 18h4",
  volume: "M4 9h4l5-4v14l-5-4H4zM16.5 9a4.5 4.5 0 0 1 0 6M19 6.5a8 8 0 0 1 0 11",
  muted: "M4 9h4l5-4v14l-5-4H4zM17 9.5l5 5M22 9.5l-5 5",
  full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  shrink: "M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5",
  inset: "M3 5h18v14H3zM12 12h6v4h-6z",
  previous: "M6 5v14M18 5l-9 7 9 7z",
  next: "M18 5v14M6 5l9 7-9 7z",
  "frame-back": "M14 6l-6 6 6 6M18 6v12",
  "frame-on": "M10 6l6 6-6 6M6 6v12",
  help: "M9 9.5a3 3 0 1 1 4.2 2.8c-.8.4-1.2.9-1.2 1.7v.5M12 17.5h.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  machine: "M4 5h16v6H4zM4 13h16v6H4zM8 8h.01M8 16h.01",
  resume: "M6 5v14M10 5l9 7-9 7z",
  stop: "M6 6h12v12H6z",
  ended: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM9 9l6 6M15 9l-6 6",
  send: "M4 12l16-8-6 16-3-6zM11 14l9-10",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = "1.25em" }: { name: IconName; size?: string }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "more" || name === "drag" ? 3 : 2}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
