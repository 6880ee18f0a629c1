import type { ComponentChildren, JSX } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { errorText } from './text.ts';

let isFirstPage = true;

/**
 * The heading of a page. It takes the focus when another page opens, so that a screen reader says where one is and Tab goes on
 * from there.
 */
export function PageTitle({ title, children }: { title: string; children?: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    document.title = `${title} · Open shop`;
    if (!isFirstPage) heading.current?.focus({ preventScroll: true });
    isFirstPage = false;
  }, [title]);
  return (
    <div class="page-title">
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
    </div>
  );
}

interface FieldProps extends Omit<JSX.IntrinsicElements['input'], 'label'> {
  label: string;
  name: string;
  hint?: string;
  error?: string | undefined;
}

export function Field({ label, hint, error, ...input }: FieldProps) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;
  return (
    <div class="field">
      <label for={id}>
        {label}
        {input.required ? null : <span class="optional"> (optional)</span>}
      </label>
      <input id={id} aria-describedby={described} aria-invalid={error ? true : undefined} {...input} />
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

export function TextArea({
  label,
  error,
  ...input
}: {
  label: string;
  name: string;
  error?: string | undefined;
  defaultValue?: string;
  rows?: number;
  maxLength?: number;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>
        {label}
        <span class="optional"> (optional)</span>
      </label>
      <textarea id={id} aria-invalid={error ? true : undefined} aria-describedby={error && `${id}-error`} {...input} />
      {error && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

export function Select({
  label,
  children,
  ...input
}: { label: string; children: ComponentChildren } & JSX.IntrinsicElements['select']) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} {...input}>
        {children}
      </select>
    </div>
  );
}

/** A button that shows that its action is running. It keeps its width. */
export function ActionButton({
  isRunning,
  children,
  ...button
}: { isRunning: boolean } & JSX.IntrinsicElements['button']) {
  return (
    <button type="submit" class="primary" aria-disabled={isRunning} aria-busy={isRunning} {...button}>
      <span class="button-label">{children}</span>
    </button>
  );
}

/** Says what went wrong, and offers to try again if that makes sense. */
export function Problem({
  error,
  retry,
  products,
}: {
  error: unknown;
  retry?: () => void;
  products?: { id: number; name: string }[];
}) {
  if (error === undefined) return null;
  return (
    <div class="notice problem" role="alert">
      <p>{errorText(error, products)}</p>
      {retry && (
        <button type="button" class="quiet" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <svg viewBox="0 0 96 64" aria-hidden="true">
        <path d="M14 26h68l-6 30a6 6 0 0 1-6 5H26a6 6 0 0 1-6-5z" />
        <path d="M32 32V20a16 16 0 0 1 32 0v12" />
      </svg>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** Grey boxes of the size of what is coming, so that nothing moves when it comes. */
export function Skeleton({ count, kind }: { count: number; kind: 'card' | 'row' }) {
  return (
    <div class={kind === 'card' ? 'grid' : 'rows'} role="status" aria-label="Loading">
      {Array.from({ length: count }, (_, index) => (
        <div class={`skeleton ${kind}`} key={index} />
      ))}
    </div>
  );
}

/** An image of a product, or a pattern of its own if it has none or the image cannot be loaded. */
export function ProductImage({
  product,
  isLarge,
}: {
  product: { id: number; name: string; image_url: string | null };
  isLarge?: boolean;
}) {
  const [broken, setBroken] = useState<string>();
  const { image_url: url } = product;
  return (
    <div class="product-image">
      {url && url !== broken ? (
        <img
          src={url}
          alt=""
          width="640"
          height="640"
          loading={isLarge ? 'eager' : 'lazy'}
          decoding="async"
          onError={() => setBroken(url)}
        />
      ) : (
        <Pattern seed={`${product.id}${product.name}`} initial={[...product.name][0] ?? ''} />
      )}
    </div>
  );
}

function Pattern({ seed, initial }: { seed: string; initial: string }) {
  let hash = 7;
  for (const character of seed) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  const [shape, turn] = [hash % 4, ((hash >> 3) % 4) * 90];
  return (
    <svg viewBox="0 0 100 100" class="pattern" aria-hidden="true" style={{ '--hue': String(hash % 360) }}>
      <rect width="100" height="100" class="ground" />
      <g transform={`rotate(${turn} 50 50)`}>
        {shape === 0 && <path class="shape" d="M0 100a100 100 0 0 1 100-100v100z" />}
        {shape === 1 && <path class="shape" d="M0 50a25 25 0 0 1 50 0 25 25 0 0 0 50 0v50H0z" />}
        {shape === 2 && <circle class="shape" cx="100" cy="0" r="72" />}
        {shape === 3 && <path class="shape" d="M0 0h50v50h50v50H0z" />}
        <circle class="dot" cx="30" cy="30" r="9" />
      </g>
      <text x="50" y="52" class="initial">
        {initial}
      </text>
    </svg>
  );
}

export function Quantity({
  name,
  value,
  max,
  onChange,
}: {
  name: string;
  value: number;
  max: number;
  onChange: (value: number) => void;
}) {
  const id = useId();
  return (
    <div class="quantity">
      <label class="visually-hidden" for={id}>
        Quantity of {name}
      </label>
      <button type="button" aria-label={`One ${name} less`} disabled={value <= 1} onClick={() => onChange(value - 1)}>
        −
      </button>
      <input
        id={id}
        type="number"
        inputMode="numeric"
        min={1}
        max={max}
        value={value}
        onChange={({ currentTarget }) => {
          const wanted = Math.min(max, Math.max(1, Math.trunc(Number(currentTarget.value)) || 1));
          currentTarget.value = String(wanted);
          onChange(wanted);
        }}
      />
      <button type="button" aria-label={`One ${name} more`} disabled={value >= max} onClick={() => onChange(value + 1)}>
        +
      </button>
    </div>
  );
}

export const Status = ({ status }: { status: string }) => <span class={`status ${status}`}>{status}</span>;

/** The text fields of a form. */
export const fieldsOf = (form: HTMLFormElement): Record<string, string> =>
  Object.fromEntries(
    [...new FormData(form)].filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
