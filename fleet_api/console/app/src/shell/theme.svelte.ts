// Light or dark: what the system prefers, unless somebody has chosen; the choice stays in this browser.
export type Theme = "system" | "light" | "dark";
const KEY = "longtail-theme";

function kept(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system"; // a browser that keeps nothing
  }
}

class ThemeChoice {
  value = $state<Theme>(kept());

  choose(theme: Theme): void {
    this.value = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // a browser that keeps nothing: the choice lasts as long as the page
    }
    applyTheme();
  }
}

export const theme = new ThemeChoice();

/** Let the page have the chosen colours. */
export function applyTheme(): void {
  if (theme.value === "system") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset.theme = theme.value;
}
