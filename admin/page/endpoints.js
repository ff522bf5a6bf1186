// The table of endpoints, by region: each address with its health, since when and why; answers;
// orders and how far a drain is. Large tables show their first rows; the search finds the others.
import {byId, el, Keyed, setAttribute, setShape, setText, shape} from "./dom.js";
import {byRegion, endpointState, serves, together} from "./facts.js";
import {sparkline} from "./answers.js";
import {clock, plural, rate, span, STATES} from "./words.js";

const AT_ONCE = 60;
const MOST_ADDRESSES = 6;

function causeOf(address, now, probed) {
    if (!probed) {
        return "not probed";
    }
    let text = `${span((now - Date.parse(address.since)) / 1000)} · ${address.cause}`;
    if (address.next) {
        const seconds = address.next_at ? (Date.parse(address.next_at) - now) / 1000 : null;
        text += `; going ${address.next}` + (seconds === null ? "" : ` in ${span(seconds)}`);
    }
    for (const check of address.checks.filter((one) => one.inconclusive_long)) {
        text += `; probe ${check.probe} fails to run: ${check.reason}`;
    }
    return text;
}

/** One line for each address. */
function addressLine() {
    const sign = shape("unknown");
    const [name, word, cause] = [el("code"), el("b"), el("span", {class: "dim"})];
    const node = el("li", {}, sign, name, " ", word, " ", cause);
    return {node, update: ({address, now, probed}) => {
        setShape(sign, address.health);
        setText(name, address.address);
        setText(word, address.health);
        setAttribute(word, "class", "is-" + address.health);
        setText(cause, causeOf(address, now, probed));
    }};
}

function orderWords(order, now) {
    const until = order.until ? `until ${clock(Date.parse(order.until), now)}` : "until released";
    const of = order.of && order.of.startsWith("region:") ? ` (${order.of})` : "";
    return `${order.state}${of} by ${order.who}, ${span((now - Date.parse(order.since)) / 1000)} ago, ` +
        until + (order.reason ? `: “${order.reason}”` : "");
}

function drainWords(drain, now) {
    const left = `${(drain.clients_left * 100).toFixed(1)} % of clients left`;
    return drain.safe ? `safe to stop; ${left}` :
        `safe to stop in ${span((Date.parse(drain.safe_to_stop) - now) / 1000)}; ${left}`;
}

export class EndpointTable {
    /** `order(target)` opens the dialogue for an endpoint or "region:NAME". */
    constructor(order) {
        this.order = order;
        this.most = AT_ONCE;
        this.table = document.querySelector("table.endpoints");
        this.groups = new Keyed(this.table, (group) => group.name ?? "", (group) => this.group(group));
        this.redraw = () => this.last && this.show(...this.last);
        byId("find").addEventListener("input", this.redraw);
        byId("trouble").addEventListener("change", this.redraw);
        byId("more").addEventListener("click", () => {
            this.most += AT_ONCE;
            this.redraw();
        });
    }

    find(text) {
        byId("find").value = text;
        this.redraw();
        byId("endpoints").scrollIntoView({block: "start"});
        byId("find").focus({preventScroll: true});
    }

    show(status, rates, now) {
        this.last = [status, rates, now];
        const wanted = byId("find").value.trim().toLowerCase();
        const trouble = byId("trouble").checked;
        const fits = (endpoint) =>
            (!trouble || endpointState(endpoint) !== "up") &&
            (wanted === "" || [endpoint.name, endpoint.region ?? "", ...endpoint.addresses.map((a) => a.address)]
                .some((text) => text.toLowerCase().includes(wanted)));
        let found = 0;
        let room = this.most;
        const groups = [];
        for (const region of byRegion(status)) {
            const fitting = region.endpoints.filter(fits);
            found += fitting.length;
            const shown = fitting.slice(0, room);
            room -= shown.length;
            if (shown.length > 0) {
                groups.push({...region, shown, now, rates});
            }
        }
        this.groups.show(groups);
        const all = status.endpoints.length;
        setText(byId("shown"), found === all ? "" : `${found} of ${plural(all, "endpoint")}`);
        byId("more").hidden = found <= this.most;
        setText(byId("more"), `Show more (${Math.max(0, found - this.most)} hidden)`);
        byId("no-endpoints").hidden = all > 0;
        this.table.hidden = all === 0;
    }

    group(group) {
        const sign = shape("unknown");
        const [name, words, ordered] = [el("b"), el("span", {class: "dim"}), el("span", {class: "chip"})];
        const button = el("button", {type: "button", class: "small", on: {
            click: () => this.order("region:" + group.name)}}, "Order…");
        setAttribute(button, "aria-label", `Order region ${group.name}`);
        const head = el("tr", {class: "region"},
            el("th", {colspan: 3, scope: "rowgroup"}, sign, name, " ", words),
            el("td", {}, ordered), el("td", {class: "act"}, group.name === null ? null : button));
        const node = el("tbody", {}, head);
        const rows = new Keyed(node, (one) => one.endpoint.name, (one) => this.row(one.endpoint.name));
        return {node, update: (now) => {
            const states = now.endpoints.map(endpointState);
            setShape(sign, together(states));
            setText(name, now.name ?? "no region");
            setText(words, `${now.country ? now.country + " · " : ""}` +
                `${states.filter(serves).length} of ${now.endpoints.length} in service`);
            setText(ordered, now.override ? orderWords(now.override, now.now) : "");
            ordered.hidden = !now.override;
            rows.show(now.shown.map((endpoint) => ({endpoint, now: now.now, rates: now.rates})));
        }};
    }

    row(name) {
        const sign = shape("unknown");
        const word = el("span", {class: "state"});
        const lines = el("ul", {class: "addresses"});
        const addresses = new Keyed(lines, (line) => line.address.address, addressLine);
        const more = el("span", {class: "dim"});
        const number = el("span", {class: "count"});
        const spark = sparkline();
        const [ordered, drained] = [el("span", {class: "chip"}), el("span", {class: "drain"})];
        const left = el("progress", {max: 1, "aria-label": `clients that have left ${name}`});
        const button = el("button", {type: "button", class: "small", on: {
            click: () => this.order(name)}}, "Order…");
        setAttribute(button, "aria-label", `Order ${name}`);
        const node = el("tr", {class: "endpoint"},
            el("th", {scope: "row"}, sign, el("span", {class: "name"}, name), word),
            el("td", {"data-head": "addresses"}, lines, more),
            el("td", {class: "number", "data-head": "answers/s"}, number,
                el("span", {class: "unit"}, " answers/s"), spark.node),
            el("td", {"data-head": "order", class: "ordered"}, ordered, drained, left),
            el("td", {class: "act"}, button));
        node.dataset.endpoint = name;
        return {node, update: ({endpoint, now, rates}) => {
            const state = endpointState(endpoint);
            setShape(sign, state);
            setAttribute(node, "data-state", state);
            setText(word, STATES[state]);
            setAttribute(word, "class", `state is-${state}`);
            addresses.show(endpoint.addresses.slice(0, MOST_ADDRESSES).map(
                (address) => ({address, now, probed: endpoint.probed})));
            const rest = endpoint.addresses.length - MOST_ADDRESSES;
            setText(more, rest > 0 ? `and ${plural(rest, "more address", "more addresses")}` : "");
            setText(number, rate(rates.now(name)));
            spark.update(rates.series(name));
            setText(ordered, endpoint.override ? orderWords(endpoint.override, now) : "");
            ordered.hidden = !endpoint.override;
            setText(drained, endpoint.drain ? drainWords(endpoint.drain, now) : "");
            drained.hidden = left.hidden = !endpoint.drain;
            if (endpoint.drain) {
                left.value = 1 - endpoint.drain.clients_left;
            }
        }};
    }
}
