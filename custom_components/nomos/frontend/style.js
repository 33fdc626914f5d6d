/** The style of the price card: l1 to l5 are levels, p0 to p2 price components. */
export const STYLE = `
:host {
	--l1: #006d77; --l2: #2f9c95; --l3: #7d8a99; --l4: #d17a22; --l5: #b3261e;
	--p0: #0072b2; --p1: #d98a1f; --p2: #8793a0; --run: #6a4fc4;
	--ink: var(--primary-text-color); --soft: var(--secondary-text-color); --line: var(--divider-color);
	display: block; height: 100%;
}
:host([dark]) {
	--l1: #5ff0dc; --l2: #2fb5a8; --l3: #718092; --l4: #e0892f; --l5: #ff7a66;
	--p0: #56b4e9; --p1: #e6a23c; --p2: #7f8b99; --run: #b7a2ff;
}
ha-card { box-sizing: border-box; height: 100%; display: flex; flex-direction: column; padding: 14px 16px 12px; overflow: hidden; color: var(--ink); font-variant-numeric: tabular-nums; }
[hidden] { display: none !important; }
.sr { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.head { flex: none; display: flex; flex-wrap: wrap; justify-content: space-between; align-items: flex-end; gap: 4px 20px; margin-bottom: 8px; }
button { font: inherit; color: inherit; background: none; border: 0; padding: 0; margin: 0; text-align: start; cursor: pointer; border-radius: 8px; }
button:focus-visible, .cursor:focus-visible { outline: 2px solid var(--primary-color); outline-offset: 2px; }
.label { display: block; font-size: 13px; line-height: 18px; color: var(--soft); }
.value { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 10px; line-height: 32px; white-space: nowrap; }
.price { font-size: 28px; font-weight: 500; }
.unit { font-size: 14px; color: var(--soft); }
.chip { display: inline-flex; align-items: center; gap: 5px; font-size: 13px; font-weight: 500; line-height: 24px; padding: 0 10px; border-radius: 12px; background: color-mix(in srgb, var(--c) 18%, transparent); }
.sign { font-size: 9px; letter-spacing: -1px; color: var(--c); }
.time { font-size: 16px; line-height: 26px; font-weight: 500; }
.several .time { display: block; font-size: 14px; line-height: 20px; }
.plot { position: relative; flex: 1 1 calc(184px + var(--lanes, 0px)); min-height: 104px; }
svg, .days, .scale, .tip { direction: ltr; }
:host([rtl]) :is(.label, .time, .value > span, .note) { direction: ltr; unicode-bidi: isolate; text-align: right; }
svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
svg text { fill: var(--soft); font-size: 11px; }
svg .day { fill: var(--ink); font-weight: 500; }
svg .lane, .now-tip { fill: var(--ink); }
.grid { stroke: var(--line); opacity: .55; }
.zero, .split { stroke: var(--soft); opacity: .45; }
.zero { opacity: .8; }
.mean { stroke: var(--ink); stroke-width: 1.25; stroke-dasharray: 4 3; opacity: .75; }
.past { opacity: .42; }
.total { fill: none; stroke: var(--ink); stroke-width: 1.25; }
.best-fill { fill: var(--l1); opacity: .14; }
.best-edge { fill: var(--l1); }
.track { fill: var(--line); opacity: .35; }
.run { fill: var(--run); }
.mode { fill: var(--l3); opacity: .45; }
.mode.charge { fill: var(--p0); }
.mode.feed_in { fill: var(--run); }
.mode.delay_charge { fill: var(--p1); }
.expected { fill: var(--c); stroke: var(--c); fill-opacity: .3; }
.level { fill: none; stroke: var(--ink); stroke-width: 1.5; }
.now { stroke: var(--ink); stroke-width: 1.5; }
.hover { fill: var(--ink); opacity: .13; }
.cursor { position: absolute; inset: 0; border-radius: 6px; cursor: crosshair; touch-action: pan-y; user-select: none; }
.tip { position: absolute; top: 18px; z-index: 1; pointer-events: none; min-width: 128px; max-width: 220px; padding: 8px 10px; border-radius: 10px; font-size: 12px; line-height: 18px; background: var(--card-background-color); border: 1px solid var(--line); box-shadow: 0 2px 10px rgba(0, 0, 0, .22); }
.tip b { display: block; font-size: 15px; line-height: 22px; font-weight: 500; white-space: nowrap; }
.tip .row { display: flex; justify-content: space-between; gap: 14px; color: var(--soft); }
.tip .row span { white-space: nowrap; }
.tip .row span:first-child { overflow: hidden; text-overflow: ellipsis; }
.dot { display: inline-block; width: 9px; height: 9px; border-radius: 3px; background: var(--c); margin-inline-end: 6px; }
.foot { flex: none; display: flex; align-items: center; flex-wrap: wrap; gap: 4px 10px; container-type: inline-size; min-height: 26px; margin-top: 8px; font-size: 12px; line-height: 18px; color: var(--soft); }
.legend { display: contents; }
.legend span, .entry { white-space: nowrap; }
.entry { line-height: 24px; }
.entry[aria-pressed="false"] { opacity: .55; text-decoration: line-through; }
.scale, .steps { display: inline-flex; align-items: center; gap: 6px; }
.steps { gap: 0; border-radius: 3px; overflow: hidden; }
.steps i { width: 16px; height: 9px; background: var(--c); }
@container (max-width: 240px) { .steps i { width: 8px; } .foot .pill { padding: 0 6px; } }
.rule { display: inline-block; width: 12px; margin-inline-end: 6px; border-top: 2px solid var(--ink); vertical-align: middle; }
.days { display: flex; gap: 4px; }
.pill { padding: 0 10px; line-height: 22px; border: 1px solid var(--line); border-radius: 13px; color: var(--ink); }
.pill:disabled { color: var(--soft); opacity: .6; cursor: default; }
.toggle { margin-inline-start: auto; }
.pill[aria-pressed="true"] { background: color-mix(in srgb, var(--p0) 20%, transparent); border-color: var(--p0); }
.note { flex-basis: 100%; }
.message { padding: 28px 8px; text-align: center; color: var(--soft); line-height: 1.5; overflow-wrap: anywhere; }
`;
