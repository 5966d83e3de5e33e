"""What is wrong with how a page is laid out: texts on one another, cut off, or wider than the page."""

from typing import Any

MEASURE = """() => {
    const slack = 2, found = [];
    const seen = rect => rect.width > 1 && rect.height > 1;
    const main = document.querySelector('[data-testid=stMain]');
    const shorten = text => text.trim().replace(/\\s+/g, ' ').slice(0, 60);
    const apart = (a, b) => a.right - slack <= b.left || b.right - slack <= a.left
        || a.bottom - slack <= b.top || b.bottom - slack <= a.top;
    const collide = (boxes, where) => {
        for (let i = 0; i < boxes.length; i++)
            for (let j = i + 1; j < boxes.length; j++)
                if (boxes[i].owner !== boxes[j].owner && !apart(boxes[i].rect, boxes[j].rect))
                    found.push(`${where}: "${boxes[i].text}" on "${boxes[j].text}"`);
    };
    for (const plot of main.querySelectorAll('.js-plotly-plot')) {
        const frame = plot.getBoundingClientRect();
        if (!seen(frame) || plot.closest('details:not([open])')) continue;
        const boxes = [];
        for (const text of plot.querySelectorAll('.main-svg text')) {
            const style = getComputedStyle(text);
            if (text.closest('.hoverlayer') || !text.textContent.trim() || style.visibility === 'hidden') continue;
            if (style.display === 'none' || style.opacity === '0' || text.closest('[style*="opacity: 0;"]')) continue;
            const rect = text.getBoundingClientRect();
            if (!seen(rect)) continue;
            boxes.push({rect, owner: text, text: shorten(text.textContent)});
            if (rect.left < frame.left - slack || rect.right > frame.right + slack
                || rect.top < frame.top - slack || rect.bottom > frame.bottom + slack)
                found.push(`figure: "${shorten(text.textContent)}" is cut off`);
        }
        collide(boxes, 'figure');
    }
    const skipped = 'svg, canvas, table, style, .katex, [data-testid=stDataFrame], [data-testid=stIconMaterial]';
    const walk = document.createTreeWalker(main, NodeFilter.SHOW_TEXT), boxes = [];
    while (walk.nextNode()) {
        const node = walk.currentNode, parent = node.parentElement;
        if (!node.data.trim() || parent.closest(skipped)) continue;
        if (!parent.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
        const range = document.createRange();
        range.selectNodeContents(node);
        const rect = range.getBoundingClientRect();
        if (!seen(rect) || parent.closest('details:not([open]) > :not(summary)')) continue;
        const owner = parent.closest('p, label, button, li') || parent, text = shorten(node.data);
        for (const rect of range.getClientRects()) boxes.push({rect, owner, text});
        let box = parent;
        for (let k = 0; k < 3 && box && box !== main; k++, box = box.parentElement) {
            const style = getComputedStyle(box);
            const cut = style.textOverflow === 'ellipsis' && style.overflowX !== 'visible';
            if (cut && box.scrollWidth > box.clientWidth + 1) found.push(`text: "${text}" is cut off`);
        }
    }
    collide(boxes, 'text');
    if (main.scrollWidth > main.clientWidth + 1) found.push(`page: ${main.scrollWidth} px in ${main.clientWidth} px`);
    return [...new Set(found)];
}"""
SETTLED = """() => {
    const open = plot => !plot.closest('details:not([open])');
    if (document.querySelector('[data-testid=stMain] [data-testid=stSkeleton]')) return false;
    const charts = [...document.querySelectorAll('[data-testid=stPlotlyChart]')].filter(open);
    if (!charts.every(chart => chart.querySelector('.main-svg'))) return false;
    const ends = [...document.querySelectorAll('.js-plotly-plot')].filter(open).map(plot => {
        const box = plot.querySelector('.main-svg');
        return box ? Math.abs(box.clientWidth - plot.parentElement.clientWidth) : 0;
    });
    return ends.every(gap => gap < 3);
}"""


WORN = """theme => {
    const app = document.querySelector('[data-testid=stApp]');
    const moving = document.getAnimations().some(one => one instanceof CSSTransition && one.playState === 'running');
    return (!app || getComputedStyle(app).colorScheme === theme) && !moving;
}"""


QUIET = """() => new Promise(done => {
    const main = document.querySelector('[data-testid=stMain]');
    const pause = 100, longest = 3000, began = performance.now();
    let changed = began;
    const watch = new MutationObserver(() => { changed = performance.now(); });
    watch.observe(main, {subtree: true, childList: true, attributes: true, characterData: true});
    const look = now => {
        if (now - changed < pause && now - began < longest) return requestAnimationFrame(look);
        watch.disconnect();
        done();
    };
    requestAnimationFrame(look);
})"""


def rest(tab: Any) -> None:
    """Wait until every chart is drawn in its place and nothing of the page changes any more."""
    tab.wait_for_function(SETTLED)
    tab.evaluate(QUIET)
    tab.wait_for_function(SETTLED)


def wear(tab: Any, width: int, theme: str) -> None:
    """Give a tab a width in px and a theme, and wait until its colours have changed."""
    tab.set_viewport_size({"width": width, "height": 900})
    tab.emulate_media(color_scheme=theme)
    tab.wait_for_function(WORN, arg=theme)


COVERED = """() => {
    const found = [], header = document.querySelector('[data-testid=stHeader]');
    if (!header) return found;
    const bar = header.getBoundingClientRect(), look = getComputedStyle(header);
    const opaque = !look.backgroundColor.startsWith('rgba') && look.backgroundColor !== 'transparent';
    for (const one of document.querySelectorAll('[data-testid=stMain] :is(h1, button)')) {
        const box = one.getBoundingClientRect(), x = box.left + Math.min(box.width / 2, 20);
        if (!box.width || box.top < 0 || box.top > 160 || getComputedStyle(one).visibility === 'hidden') continue;
        const top = document.elementFromPoint(x, box.top + box.height / 2);
        const hidden = opaque && box.top < bar.bottom - 2 && bar.left <= x && x <= bar.right;
        if (hidden || (top && top.closest('[data-testid=stHeader]'))) {
            found.push(`"${one.innerText}" lies under the page's header`);
        }
    }
    return found;
}"""
"""What stands at the top of a page and cannot be clicked, as the page's header lies over it."""


def faults(tab: Any) -> list[str]:
    """Faults of the page as it stands, in words; empty where it is in order."""
    return [*tab.evaluate(MEASURE), *tab.evaluate(COVERED)]
