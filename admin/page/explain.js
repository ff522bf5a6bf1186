// The explain box: one question, the answer, and the decision step by step.
import {byId, el, shape} from "./dom.js";
import {refusal} from "./live.js";

function place(client) {
    const {place: at} = client;
    if (!at.known) {
        return `${client.address}/${client.prefix}: place unknown`;
    }
    const words = [at.country, at.subdivision, at.continent, at.asn === null ? null : `AS${at.asn}`,
        at.location === null ? null : at.location.map((n) => n.toFixed(1)).join(", ")];
    return `${client.address}/${client.prefix}: ${words.filter(Boolean).join(" · ")} (${at.source})`;
}

function member(one) {
    const estimate = one.rtt_ms === null ? "" : `${one.rtt_ms.toFixed(1)} ms`;
    return el("tr", {class: one.chosen ? "chosen" : ""},
        el("td", {}, one.chosen ? "→ " : "", one.name),
        el("td", {}, shape(one.health in SHAPES ? one.health : "unknown"), one.health),
        el("td", {class: "number"}, estimate),
        el("td", {class: "number"}, `${(one.share * 100).toFixed(one.share > 0 && one.share < 0.1 ? 1 : 0)} %`),
        el("td", {}, [one.reason, one.rtt_detail].filter(Boolean).join("; ")));
}

const SHAPES = {up: 1, degraded: 1, down: 1, unknown: 1, drained: 1};

function step(one) {
    return el("div", {class: "step"},
        el("h3", {}, "route ", el("b", {}, one.route), ` · ${one.policy}`),
        el("div", {class: "scroll"}, el("table", {},
            el("thead", {}, el("tr", {}, el("th", {scope: "col"}, "member"), el("th", {scope: "col"}, "health"),
                el("th", {scope: "col", class: "number"}, "estimate"),
                el("th", {scope: "col", class: "number"}, "share"), el("th", {scope: "col"}, "why"))),
            el("tbody", {}, ...one.members.map(member)))));
}

function shown(facts) {
    const {answer, decision} = facts;
    const records = answer.records.length > 0 ? answer.records.join("\n") : "no records";
    const out = [el("pre", {class: "records"}, `${answer.rcode}\n${records}`),
        el("p", {class: "dim"}, place(facts.client))];
    if (decision) {
        const words = [
            decision.endpoints.length > 0 ? `chosen: ${decision.endpoints.join(", ")}` : "nothing chosen",
            `TTL ${decision.ttl} s`, decision.scope === null || decision.scope === undefined
                ? null : `holds for /${decision.scope}`];
        out.push(el("p", {}, words.filter(Boolean).join(" · ")));
        if (decision.fail_open) {
            out.push(el("p", {class: "bad"}, "All is down: answered as if everything were up (fail open)."));
        }
        out.push(...(decision.steps ?? []).map(step));
    } else {
        out.push(el("p", {}, `No route is asked: ${facts.finding}${facts.zone ? " in " + facts.zone : ""}.`));
    }
    return out;
}

export class Explain {
    constructor() {
        this.form = byId("explain");
        this.form.addEventListener("submit", (event) => {
            event.preventDefault();
            this.ask();
        });
    }

    open(name) {
        if (name !== undefined) {
            this.form.elements.name.value = name.replace(/\.$/, "");
        }
        this.form.scrollIntoView({block: "center"});
        const empty = ["name", "client"].find((key) => this.form.elements[key].value === "");
        this.form.elements[empty ?? "client"].focus({preventScroll: true});
        if (empty === undefined) {
            this.ask();
        }
    }

    async ask() {
        const box = byId("explained");
        const question = new URLSearchParams(new FormData(this.form));
        this.form.setAttribute("aria-busy", "true");
        try {
            const reply = await fetch(`api/v1/explain?${question}`, {signal: AbortSignal.timeout(10000)});
            if (!reply.ok) {
                throw new Error(await refusal(reply));
            }
            box.replaceChildren(...shown(await reply.json()));
        } catch (error) {
            box.replaceChildren(el("p", {class: "bad"},
                error instanceof TypeError ? "The server does not answer." : error.message));
        }
        this.form.removeAttribute("aria-busy");
    }
}
