// Elements made by hand: text only ever goes in as text, so that no name from a configuration or a
// request can be anything else. Pure but for the document.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes ?? {})) {
        if (name === "on") {
            for (const [event, call] of Object.entries(value)) {
                node.addEventListener(event, call);
            }
        } else if (value === true) {
            node.setAttribute(name, "");
        } else if (value !== false && value !== null && value !== undefined) {
            node.setAttribute(name, value);
        }
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
}

/** An HTML element; strings among the children become text. */
export function el(tag, attributes, ...children) {
    return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function svg(tag, attributes, ...children) {
    return fill(document.createElementNS(SVG, tag), attributes, children);
}

export function byId(id) {
    return document.getElementById(id);
}

/** Writes only what is new, so that a selection or a reader's place is not lost. */
export function setText(node, text) {
    if (node.textContent !== text) {
        node.textContent = text;
    }
}

export function setAttribute(node, name, value) {
    if (node.getAttribute(name) !== String(value)) {
        node.setAttribute(name, value);
    }
}

/** The shape and colour of a state; words stand beside it. */
export function shape(state, title) {
    const use = svg("use", {href: "#shape-" + state, x: -10, y: -10, width: 20, height: 20});
    return svg("svg", {class: "shape is-" + state, viewBox: "-10 -10 20 20", "aria-hidden": "true"},
        title ? svg("title", {}, title) : null, use);
}

export function setShape(node, state) {
    setAttribute(node, "class", "shape is-" + state);
    setAttribute(node.querySelector("use"), "href", "#shape-" + state);
}

/** Children of `parent` by key: those that stay are updated where they stand and keep the focus. */
export class Keyed {
    constructor(parent, keyOf, make) {
        this.parent = parent;
        this.keyOf = keyOf;
        this.make = make;
        this.rows = new Map();
    }

    show(items) {
        const focused = document.activeElement;
        const keys = new Set(items.map(this.keyOf));
        for (const [key, row] of this.rows) {
            if (!keys.has(key)) {
                row.node.remove();
                this.rows.delete(key);
            }
        }
        let at = this.first();
        for (const item of items) {
            const key = this.keyOf(item);
            let row = this.rows.get(key);
            if (row === undefined) {
                row = this.make(item);
                this.rows.set(key, row);
            }
            row.update?.(item);
            if (row.node === at) {
                at = at.nextSibling;
            } else {
                this.parent.insertBefore(row.node, at);
            }
        }
        if (focused !== document.activeElement && focused?.isConnected) {
            focused.focus({preventScroll: true});
        }
    }

    /** Where the first of ours stands or would stand. */
    first() {
        const ours = new Set([...this.rows.values()].map((row) => row.node));
        for (const child of this.parent.childNodes) {
            if (ours.has(child)) {
                return child;
            }
        }
        return null;
    }
}
