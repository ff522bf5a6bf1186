// The server's facts as they change: events over SSE (the browser reconnects and says what it has
// seen), and the status after each event and every few seconds. Tells when it is out of date.
// Holds the state of the connection; draws nothing.

const STATUS = "api/v1/status";
const ANSWERS = "api/v1/answers";
const EVENTS = "api/v1/events?last=1000";
const MOST_EVENTS = 4000;
const POLL_MS = 5000;
const AFTER_EVENT_MS = 100;
const LEAST_BETWEEN_MS = 400;
const MOST_BETWEEN_MS = 60000;
const STALE_MS = 12000;
const TIMEOUT_MS = 10000;
const RETRY_MS = 3000;

export class Live {
    /** `changed()` after each new fact, `happened(event)` for each event that is news. */
    constructor(changed, happened) {
        this.changed = changed;
        this.happened = happened;
        this.status = null;
        this.status_at = 0;     // performance.now() when it was asked
        this.clock_ahead = 0;   // the server's clock against ours, ms
        this.events = [];       // oldest first, each with `ms`, `key` and `boot`
        this.keys = new Set();
        this.streaming = false;
        this.problem = "";
        this.costs = [0];       // what asking and drawing took the last times, ms
        this.asking = false;
        this.again = false;
        this.timer = 0;
        this.due = 0;
    }

    /** What was answered before the page was opened. */
    async remembered() {
        const reply = await fetch(ANSWERS, {signal: AbortSignal.timeout(TIMEOUT_MS)});
        return reply.ok ? {now: performance.now(), answers: await reply.json()} : null;
    }

    start() {
        this.follow();
        this.ask();
        document.addEventListener("visibilitychange", () => document.hidden || this.soon(0));
        setInterval(() => this.changed(), 1000);
    }

    now() {
        return Date.now() + this.clock_ahead;
    }

    /** "connecting", "live", "late" (facts are fresh, events are not followed) or "stale". */
    state() {
        if (this.status === null) {
            return this.problem ? "stale" : "connecting";
        }
        const limit = Math.max(STALE_MS, 3 * this.between());
        if (this.problem || performance.now() - this.status_at > limit) {
            return document.hidden ? "late" : "stale";
        }
        return this.streaming ? "live" : "late";
    }

    /** Large servers are asked less often; one slow moment does not count. */
    between() {
        return Math.max(POLL_MS, Math.min(MOST_BETWEEN_MS, 10 * Math.min(...this.costs)));
    }

    soon(ms) {
        const at = performance.now() + ms;
        if (this.timer !== 0 && this.due <= at) {
            return;
        }
        clearTimeout(this.timer);
        this.due = at;
        this.timer = setTimeout(() => {
            this.timer = 0;
            this.ask();
        }, ms);
    }

    async ask() {
        if (this.asking) {
            this.again = true;
            return;
        }
        clearTimeout(this.timer);
        this.timer = 0;
        this.asking = true;
        this.again = false;
        const begin = performance.now();
        try {
            const reply = await fetch(STATUS, {signal: AbortSignal.timeout(TIMEOUT_MS)});
            if (!reply.ok) {
                throw new Error(await refusal(reply));
            }
            const status = await reply.json();
            this.clock_ahead = Date.parse(status.server.now) - Date.now();
            if (Math.abs(this.clock_ahead) < 2000) {
                this.clock_ahead = 0;  // the status tells whole seconds
            }
            this.status = status;
            this.status_at = begin;
            this.problem = "";
        } catch (error) {
            this.problem = error.name === "TimeoutError" ? "no answer in time" :
                error instanceof TypeError ? "the server does not answer" : error.message;
        }
        this.asking = false;
        if (this.again) {
            this.soon(Math.max(LEAST_BETWEEN_MS, 4 * Math.min(...this.costs)));
        } else {
            this.soon(this.problem ? RETRY_MS : this.between() * (document.hidden ? 4 : 1));
        }
        this.changed();
        this.costs = [...this.costs, performance.now() - begin].slice(-3);
    }

    follow() {
        const source = new EventSource(EVENTS);
        source.onopen = () => {
            this.streaming = true;
            this.soon(0);
        };
        source.onerror = () => {
            this.streaming = false;
            this.soon(AFTER_EVENT_MS);
            if (source.readyState === EventSource.CLOSED) {  // refused: the browser gives up
                setTimeout(() => this.follow(), RETRY_MS);
            }
            this.changed();
        };
        source.onmessage = (message) => this.take(message);
    }

    take(message) {
        let event;
        try {
            event = JSON.parse(message.data);
        } catch {
            return;
        }
        const key = message.lastEventId;
        if (event.kind === "missed") {
            this.soon(AFTER_EVENT_MS);
            return;
        }
        if (this.keys.has(key)) {
            return;  // replayed
        }
        this.keys.add(key);
        this.events.push({...event, key, boot: key.split("-")[0], ms: Date.parse(event.at)});
        while (this.events.length > MOST_EVENTS) {
            this.keys.delete(this.events.shift().key);
        }
        // Replayed ones are history, not news.
        if (this.status !== null && Date.parse(event.at) >= Date.parse(this.status.server.now)) {
            this.happened(event);
        }
        this.soon(AFTER_EVENT_MS);
    }
}

/** What a refusal says. */
export async function refusal(reply) {
    const text = await reply.text();
    try {
        return JSON.parse(text).error ?? `status ${reply.status}`;
    } catch {
        return `status ${reply.status}`;
    }
}
