// Buttons, and links that look like them.
import type { AnchorHTMLAttributes, ButtonHTMLAttributes, ReactNode } from "react";
import { Link } from "wouter";
import styles from "./button.module.css";
import { Icon, type IconName } from "./icon";

export type Look = "main" | "plain" | "quiet" | "danger";

interface Own {
  /** How much it stands out; `main` by default. */
  look?: Look;
  icon?: IconName;
  small?: boolean;
  children?: ReactNode;
}

const classOf = (look: Look = "main", small = false, bare = false) =>
  [styles.button, styles[look], small && styles.small, bare && styles.bare].filter(Boolean).join(" ");

type ButtonProps = Own & {
  /** It is being done: shown, said, and not to be done twice. */
  busy?: boolean;
  /** What an icon without words does. */
  label?: string;
} & ButtonHTMLAttributes<HTMLButtonElement>;

export function Button({
  look,
  icon,
  small,
  busy,
  label,
  children,
  type = "button",
  onClick,
  className,
  ...rest
}: ButtonProps) {
  return (
    <button
      type={type}
      className={[classOf(look, small, !children), className].filter(Boolean).join(" ")}
      aria-busy={busy || undefined}
      aria-disabled={busy || rest.disabled || undefined}
      aria-label={label}
      title={label}
      onClick={busy ? (event) => event.preventDefault() : onClick}
      {...rest}
    >
      {busy ? <span className={styles.spinner} aria-hidden="true" /> : icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

type LinkProps = Own & { href: string } & Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "href">;

/** A link to another place of the page that looks like a button. */
export function ButtonLink({ look, icon, small, children, href, className, ...rest }: LinkProps) {
  return (
    <Link href={href} className={[classOf(look, small, !children), className].filter(Boolean).join(" ")} {...rest}>
      {icon && <Icon name={icon} />}
      {children}
    </Link>
  );
}
