// Where the console starts: styles, the theme that was chosen, and the application.
import "./styles/tokens.css";
import "./styles/base.css";
import { mount } from "svelte";
import App from "./App.svelte";
import { followOtherTabs } from "./shell/kept.svelte";
import { applyTheme } from "./shell/theme.svelte";

applyTheme();
followOtherTabs();
const target = document.getElementById("app");
if (target === null) throw new Error("index.html has no element #app");
mount(App, { target });
