import { useEffect } from 'preact/hooks';
import { place } from './router.ts';
import { createState, useValue } from './state.ts';

interface Announcement {
  text: string;
  link: string | undefined;
  linkText: string | undefined;
}

const current = createState<Announcement | undefined>(undefined);

// What can be done about it belongs to the page that it was said on.
place.subscribe(() => {
  if (current.get()?.link) current.set(undefined);
});

/** A short message at the edge of the screen, which screen readers read out. */
export function announce(text: string, link?: string, linkText?: string): void {
  current.set({ text, link, linkText });
}

export function Announcements() {
  const announcement = useValue(current);
  useEffect(() => {
    if (!announcement) return;
    const timer = setTimeout(() => current.set(undefined), 6000);
    return () => clearTimeout(timer);
  }, [announcement]);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {announcement && (
        <p class="toast">
          {announcement.text}
          {announcement.link && (
            <a href={announcement.link} onClick={() => current.set(undefined)}>
              {announcement.linkText}
            </a>
          )}
        </p>
      )}
    </div>
  );
}
