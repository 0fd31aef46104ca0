export const pageStyle = `
:root {
  --back: #f4f3f8; --card: #ffffff; --line: #e3e1ec; --text: #1d1b26; --soft: #625e73; --mark: #6a4df0;
  --mark-back: #efecff; --good: #19794a; --bad: #c02636; --bad-back: #fdecee; --warn: #8f5a00; --code: #f6f5fa;
  font: 15px/1.45 -apple-system, "SF Pro Text", "Segoe UI", Inter, Roboto, system-ui, sans-serif;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #0e0d13; --card: #18161f; --line: #2b2836; --text: #f1eff8; --soft: #a39fb5; --mark: #a794ff;
    --mark-back: #272040; --good: #5fd49a; --bad: #ff8089; --bad-back: #3a171d; --warn: #f0b860; --code: #121018;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--back); color: var(--text); }
button, select { font: inherit; color: inherit; }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
ol { list-style: none; margin: 0; padding: 0; }
header {
  display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; padding: 14px 24px;
  border-bottom: 1px solid var(--line); background: var(--card);
}
header img { display: block; }
h1 { font-size: 17px; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 15px; margin: 0 0 10px; display: flex; align-items: baseline; gap: 8px; }
h3 { font-size: 12px; margin: 16px 0 6px; color: var(--soft); font-weight: 600; }
.count { color: var(--soft); font-weight: 400; font-size: 13px; }
#state { margin: 0; color: var(--soft); font-size: 13px; display: flex; align-items: center; gap: 6px; }
#state::before { content: ""; width: 8px; height: 8px; border-radius: 50%; background: var(--soft); }
#state[data-state=live]::before { background: var(--good); }
#state[data-state=lost] { color: var(--bad); }
#state[data-state=lost]::before { background: var(--bad); }
header label { margin-left: auto; color: var(--soft); font-size: 13px; }
select { background: var(--card); color: var(--text); border: 1px solid var(--line); border-radius: 8px; padding: 5px 8px; }
main {
  display: grid; gap: 20px; padding: 24px; max-width: 1560px; margin: 0 auto; align-items: start;
  grid-template: "phone pushes chosen" auto "phone connections connections" 1fr / 390px minmax(260px, 5fr) minmax(320px, 7fr);
}
.pushes, .chosen, .connections {
  background: var(--card); border: 1px solid var(--line); border-radius: 16px; padding: 16px; min-width: 0;
}
.phone { grid-area: phone; } .pushes { grid-area: pushes; } .chosen { grid-area: chosen; }
.connections { grid-area: connections; }
.empty { color: var(--soft); margin: 0; }

.phone {
  position: sticky; top: 24px; height: min(812px, calc(100vh - 48px)); min-height: 560px; padding: 11px; border-radius: 58px;
  background: #0b0a0f; box-shadow: 0 0 0 2px #4b4858, 0 24px 60px #1d123c59;
}
.screen {
  position: relative; height: 100%; border-radius: 47px; overflow: hidden; color: #fff; display: flex; flex-direction: column;
  background:
    radial-gradient(120% 60% at 10% 0%, #ff9a6c 0%, #ff9a6c00 60%), radial-gradient(110% 60% at 100% 25%, #ff5f8f 0%, #ff5f8f00 65%),
    radial-gradient(130% 70% at 0% 75%, #3d6bff 0%, #3d6bff00 65%), linear-gradient(170deg, #b765e8, #5a33c0 55%, #241458);
}
@media (prefers-color-scheme: dark) {
  .screen {
    background:
      radial-gradient(110% 50% at 15% 0%, #6d3a8f 0%, #6d3a8f00 65%), radial-gradient(120% 55% at 100% 30%, #174f7d 0%, #174f7d00 65%),
      radial-gradient(130% 60% at 0% 85%, #5a1f58 0%, #5a1f5800 65%), linear-gradient(170deg, #241a48, #120e2b 60%, #07060f);
  }
}
.island { width: 112px; height: 32px; border-radius: 20px; background: #000; margin: 11px auto 0; flex: none; }
.date, .clock { margin: 0; text-align: center; text-shadow: 0 1px 12px #0003; }
.date { font-size: 19px; font-weight: 600; margin-top: 26px; }
.clock { font-size: 88px; line-height: 1; font-weight: 650; letter-spacing: -.03em; font-variant-numeric: tabular-nums; margin: 2px 0 22px; }
.quiet-screen { text-align: center; opacity: .85; margin: auto 30px 40px; }
.banners { flex: 1; min-height: 0; overflow-y: auto; padding: 4px 10px 34px; scrollbar-width: none; display: flex; flex-direction: column; gap: 7px;
  mask: linear-gradient(#0000, #000 6px, #000 calc(100% - 54px), #0000 calc(100% - 14px)); }
.banners:empty { display: none; }
.home-bar { position: absolute; left: 50%; bottom: 8px; width: 134px; height: 5px; margin-left: -67px; border-radius: 3px; background: #fffd; }
.banner, .line { width: 100%; border: 0; text-align: left; cursor: pointer; display: flex; color: #14111d; animation: arrive .35s cubic-bezier(.2, .9, .3, 1.15); }
@keyframes arrive { from { opacity: 0; transform: translateY(-14px) scale(.97); } }
@media (prefers-reduced-motion: reduce) { .banner, .line { animation: none; } }
.banner { gap: 11px; padding: 12px 14px 12px 12px; border-radius: 22px; background: #f6f3fbe0; align-items: center; }
.banner.refused { background: #ffdfe2ec; box-shadow: inset 0 0 0 1.5px #c0263680; }
.banners :focus-visible, .banners [data-chosen] { outline: 2.5px solid #fff; outline-offset: -2.5px; }
.words { flex: 1; min-width: 0; display: block; font-size: 14.5px; line-height: 1.28; }
.words > span { display: block; overflow-wrap: anywhere; }
.words > .above { display: flex; gap: 8px; justify-content: space-between; font-size: 12.5px; color: #504a60; margin-bottom: 1px; }
.above time, .line time { flex: none; }
.app { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.title, .subtitle { font-weight: 650; }
.subtitle { font-weight: 550; }
.words > .title, .words > .subtitle, .words > .body { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.words > .body { -webkit-line-clamp: 4; }
.level { font-size: 11.5px; font-weight: 650; color: #504a60; text-transform: capitalize; }
.reason { font-weight: 650; color: #a8162a; font-size: 13px; margin-top: 3px; }
.kind { font-size: 12.5px; color: #504a60; margin-top: 2px; }
@media (prefers-color-scheme: dark) {
  .banner { background: #2c293ae6; color: #fff; }
  .banner.refused { background: #4a1c25f0; box-shadow: inset 0 0 0 1.5px #ff808970; }
  .words > .above, .level, .kind { color: #c9c4d8; }
  .reason { color: #ff9aa2; }
}
.icon {
  position: relative; flex: none; width: 40px; height: 40px; border-radius: 10px; color: #fff; font-weight: 700; font-size: 20px;
  display: grid; place-items: center; background: linear-gradient(160deg, var(--from), var(--to));
}
.hue-0 { --from: #4f7cff; --to: #2a3fd0; } .hue-1 { --from: #ff8a5c; --to: #d8402a; }
.hue-2 { --from: #2fb573; --to: #0a7a52; } .hue-3 { --from: #b263ff; --to: #6a28c9; }
.hue-4 { --from: #ff6fa5; --to: #c92168; } .hue-5 { --from: #1fb2c9; --to: #0b6b95; }
.hue-6 { --from: #e0a32c; --to: #a86400; } .hue-7 { --from: #6b7287; --to: #363c50; }
.badge {
  position: absolute; top: -7px; right: -8px; min-width: 19px; height: 19px; padding: 0 5px; border-radius: 10px; background: #e0182d; color: #fff;
  font-size: 11.5px; font-weight: 700; line-height: 19px; text-align: center;
}
.line {
  gap: 7px; align-items: center; padding: 6px 14px; border-radius: 14px; font-size: 12.5px; color: #fff; background: #140a3352;
}
.line.refused { background: #7a0f20c9; }
.line .dot { width: 6px; height: 6px; border-radius: 50%; background: #fff9; flex: none; }
.line.refused .dot { background: #ff9aa2; }
.line .app { font-weight: 650; flex: 0 1 auto; }
.line .what { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }

.list { max-height: 560px; overflow-y: auto; margin: 0 -8px -8px; padding: 0 3px 3px; }
.row {
  width: 100%; border: 0; background: none; border-radius: 10px; padding: 8px; text-align: left; cursor: pointer;
  display: grid; grid-template: "about verdict" "from at" / minmax(0, 1fr) auto; gap: 0 12px;
}
.row > * { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.row:hover { background: var(--code); }
.row[data-chosen] { background: var(--mark-back); }
.row:focus-visible { outline-offset: -2px; }
.about { grid-area: about; font-weight: 550; } .from { grid-area: from; }
.row .verdict { grid-area: verdict; text-align: right; font-size: 13px; font-weight: 600; color: var(--good); }
.row .at { grid-area: at; text-align: right; font-variant-numeric: tabular-nums; }
.from, .row .at { color: var(--soft); font-size: 12.5px; }
.row.refused .verdict, .judgement.refused { color: var(--bad); }
.row.withheld .verdict, .judgement.withheld { color: var(--warn); }
.judgement { margin: 0 0 12px; font-size: 20px; font-weight: 650; color: var(--good); letter-spacing: -.01em; }
dl { display: grid; grid-template-columns: minmax(84px, max-content) minmax(0, 1fr); gap: 4px 14px; margin: 0; font-size: 13px; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
dd, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 12.5px; }
pre { margin: 0; padding: 12px; border-radius: 10px; background: var(--code); overflow: auto; max-height: 340px; white-space: pre-wrap; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; white-space: nowrap; }
th { text-align: left; color: var(--soft); font-weight: 500; }
th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--line); }
tbody tr:last-child td { border-bottom: 0; }
tr.closed { color: var(--soft); } td:last-child { color: var(--bad); white-space: normal; }

@media (max-width: 1180px) {
  main { grid-template: "phone pushes" auto "phone chosen" auto "phone connections" 1fr / 390px minmax(0, 1fr); }
  .list { max-height: 300px; }
}
@media (max-width: 780px) {
  main { grid-template: "phone" auto "pushes" auto "chosen" auto "connections" auto / minmax(0, 1fr); padding: 12px; gap: 12px; }
  header { padding: 12px; }
  .phone { position: static; padding: 0; border-radius: 28px; height: min(640px, 86vh); box-shadow: none; }
  .screen { border-radius: 28px; }
  .island { display: none; }
}
`;
