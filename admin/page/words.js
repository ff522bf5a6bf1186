// Times, rates and states as people read them. Pure.

export const STATES = {
    up: "up",
    forced: "up by order",
    degraded: "degraded",
    partly: "partly up",
    unknown: "unknown",
    drained: "drained",
    taken: "down by order",
    down: "down",
};

/** What wants attention most comes last. */
export const SEVERITY = ["up", "forced", "unknown", "drained", "taken", "degraded", "partly", "down"];

/** "42 s", "5 min", "3 h", "2 d". */
export function span(seconds) {
    const s = Math.max(0, Math.round(seconds));
    if (s < 120) {
        return `${s} s`;
    }
    if (s < 7200) {
        return `${Math.round(s / 60)} min`;
    }
    return s < 172800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;
}

/** "12:03:11", with the day where it is not today's. */
export function clock(ms, now) {
    const text = new Date(ms).toISOString();
    const day = text.slice(0, 10);
    const time = text.slice(11, 19);
    return day === new Date(now).toISOString().slice(0, 10) ? time : `${day} ${time}`;
}

/** Answers per second: "0", "0.4", "12", "1,310", "1.2 M". */
export function rate(value) {
    if (value === null || value === undefined || Number.isNaN(value)) {
        return "–";
    }
    if (value >= 1e6) {
        return `${(value / 1e6).toFixed(1)} M`;
    }
    if (value > 0 && value < 10) {
        return value.toFixed(1);
    }
    return Math.round(value).toLocaleString("en");
}

export function plural(n, one, many) {
    return `${n.toLocaleString("en")} ${n === 1 ? one : many ?? one + "s"}`;
}

/** "81.6 s", "2 min 5 s". */
export function seconds(value) {
    if (value === null || value === undefined) {
        return "never";
    }
    if (value < 120) {
        return `${Math.round(value * 10) / 10} s`;
    }
    const s = Math.round(value);
    return s % 60 === 0 ? `${s / 60} min` : `${Math.floor(s / 60)} min ${s % 60} s`;
}
