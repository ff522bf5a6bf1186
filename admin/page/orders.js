// Drain, up, down and release: chosen, then read over, then sent with the token. Nothing is sent
// without the second look. The token lives in the form's field until the page is closed.
import {byId, el, setText} from "./dom.js";
import {namesOf} from "./facts.js";
import {rate} from "./words.js";

const STATES = [
    ["drain", "Drain", "planned: no new answers; tells when it is safe to stop"],
    ["down", "Down", "as if every probe failed"],
    ["up", "Up", "as if every probe passed"],
    ["release", "Release", "what probes say counts again"],
];
const TEN_SECONDS = 10000;
const MOST_NAMES = 6;

export class Orders {
    /** `facts()` gives {status, rates}; `done(text)` tells what came of it. */
    constructor(facts, done) {
        this.facts = facts;
        this.done = done;
        this.dialog = byId("order");
        this.form = byId("order-form");
        this.form.addEventListener("submit", (event) => {
            event.preventDefault();
            this.confirming ? this.send() : this.review();
        });
        byId("order-cancel").addEventListener("click", () => this.dialog.close());
        byId("order-back").addEventListener("click", () => this.choose());
        byId("order-states").append(...STATES.map(([state, word, help]) => el("label", {class: "choice"},
            el("input", {type: "radio", name: "state", value: state, on: {change: () => this.fit()}}),
            el("span", {}, el("b", {}, word), " ", el("span", {class: "dim"}, help)))));
    }

    open(target, state) {
        this.target = target;
        const route = target.startsWith("route:");
        const ordered = this.orderOf(target);
        for (const input of this.form.elements.state) {
            const allowed = input.value === "release" ? route || ordered : !route;
            input.closest("label").hidden = input.disabled = !allowed;
        }
        const first = state ?? (route || ordered ? "release" : "drain");
        this.form.elements.state.value = first;
        this.form.elements.for.value = "";
        this.form.elements.reason.value = "";
        this.form.elements.force.checked = false;
        byId("order-force").hidden = true;
        setText(byId("order-title"), `Order ${target}`);
        this.choose();
        this.fit();
        this.dialog.showModal();
        [...this.form.elements.state].find((input) => input.checked)?.focus();
    }

    orderOf(target) {
        return this.facts().status.overrides.some((order) => order.name === target);
    }

    state() {
        return this.form.elements.state.value;
    }

    fit() {
        byId("order-until").hidden = this.state() === "release";
    }

    choose() {
        this.confirming = false;
        byId("order-choose").hidden = false;
        byId("order-confirm").hidden = byId("order-back").hidden = true;
        byId("order-force").hidden = true;
        this.form.elements.force.checked = false;
        setText(byId("order-problem"), "");
        setText(byId("order-go"), "Review");
    }

    review() {
        this.confirming = true;
        byId("order-choose").hidden = true;
        byId("order-confirm").hidden = byId("order-back").hidden = false;
        byId("order-confirm").replaceChildren(...this.summary());
        const word = STATES.find(([state]) => state === this.state())[1];
        setText(byId("order-go"), `${word} ${this.target}`);
        byId("order-go").focus();
    }

    /** What will happen, in words. */
    summary() {
        const {status, rates} = this.facts();
        const state = this.state();
        const region = this.target.startsWith("region:") ? this.target.slice(7) : null;
        const endpoints = status.endpoints.filter((endpoint) =>
            region === null ? endpoint.name === this.target : endpoint.region === region);
        const lines = [];
        if (state === "release") {
            lines.push(this.target.startsWith("route:")
                ? "The route goes back to its first available member."
                : "What probes say counts again, from the next query on.");
        } else {
            const until = this.form.elements.for.value;
            lines.push(state === "up"
                ? "It is answered as healthy from the next query on, whatever probes say."
                : "No answer names it from the next query on.");
            lines.push(until ? `Ends after ${until}.` : "Holds until it is released.");
        }
        const now = endpoints.reduce((sum, endpoint) => sum + (rates.now(endpoint.name) ?? 0), 0);
        if (region !== null) {
            lines.push(`In this region: ${endpoints.map((endpoint) => endpoint.name).join(", ") || "nothing"}.`);
        }
        if (now > 0) {
            lines.push(`It gets ${rate(now)} answers per second now.`);
        }
        const names = [...new Set(endpoints.flatMap((endpoint) => namesOf(status, endpoint.name)))];
        if (names.length > 0) {
            const rest = names.length - MOST_NAMES;
            lines.push(`Names that may use it: ${names.slice(0, MOST_NAMES).join(", ")}` +
                (rest > 0 ? ` and ${rest} more.` : ""));
        }
        lines.push("It acts on this server only.");
        return [el("ul", {}, ...lines.map((line) => el("li", {}, line)))];
    }

    request() {
        const fields = this.form.elements;
        const headers = {};
        if (fields.token.value !== "") {
            headers.Authorization = `Bearer ${fields.token.value}`;
        }
        if (this.state() === "release") {
            return {method: "DELETE", headers};
        }
        const body = {state: this.state(), force: fields.force.checked};
        if (fields.for.value !== "") {
            body.for = fields.for.value;
        }
        if (fields.reason.value !== "") {
            body.reason = fields.reason.value;
        }
        headers["Content-Type"] = "application/json";
        return {method: "PUT", headers, body: JSON.stringify(body)};
    }

    async send() {
        const go = byId("order-go");
        setText(byId("order-problem"), "");
        go.disabled = true;
        try {
            const reply = await fetch(`api/v1/overrides/${encodeURIComponent(this.target)}`,
                {...this.request(), signal: AbortSignal.timeout(TEN_SECONDS)});
            const said = await reply.json();
            if (reply.ok) {
                this.dialog.close();
                this.done(said.message ?? `${this.target}: done`);
            } else {
                this.refused(reply.status, said);
            }
        } catch (error) {
            setText(byId("order-problem"), error.name === "TimeoutError"
                ? "No answer in time; whether it was done is not known, see the table."
                : "The server does not answer; nothing is known to have changed.");
        }
        go.disabled = false;
    }

    refused(status, said) {
        const names = said.names?.length > 0 ? ` (${said.names.join(", ")})` : "";
        if (status === 401 || status === 403) {
            this.choose();
            this.form.elements.token.focus();
            this.form.elements.token.select();
        }
        const missing = status === 401 ? "A token is needed to change anything here." : said.error;
        setText(byId("order-problem"), `${missing}${names}`);
        byId("order-force").hidden = !(status === 409 || status === 507);
    }
}
