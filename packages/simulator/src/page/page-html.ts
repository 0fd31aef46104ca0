export const pageHtml = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Carillon simulator</title>
  <link rel="icon" href="/page/icon.svg">
  <link rel="stylesheet" href="/page/style.css">
  <script type="module" src="/page/main.js"></script>
</head>
<body>
  <header>
    <img src="/page/icon.svg" alt="" width="28" height="28">
    <h1>Carillon simulator</h1>
    <p id="state" role="status" data-state="asking">asking …</p>
    <label>Device <select id="device"><option value="">all devices</option></select></label>
  </header>
  <main>
    <section class="phone" aria-label="Lock screen">
      <div class="screen">
        <div class="island"></div>
        <p class="date" id="date"></p>
        <p class="clock" id="clock"></p>
        <p class="quiet-screen" id="no-banners">Pushes appear here as they arrive.</p>
        <ol class="banners" id="banners" aria-live="polite" aria-relevant="additions"></ol>
        <div class="home-bar"></div>
      </div>
    </section>
    <section class="pushes" aria-labelledby="pushes-title">
      <h2 id="pushes-title">Pushes <span class="count" id="total"></span></h2>
      <p class="empty" id="no-pushes">None yet.</p>
      <ol class="list" id="list"></ol>
    </section>
    <section class="chosen" aria-labelledby="chosen-title">
      <h2 id="chosen-title">Chosen push</h2>
      <div id="chosen"><p class="empty">Choose a push to see its headers, payload and verdict.</p></div>
    </section>
    <section class="connections" aria-labelledby="connections-title">
      <h2 id="connections-title">Connections <span class="count" id="open-connections"></span></h2>
      <p class="empty" id="no-connections">None yet.</p>
      <div class="wide" tabindex="0" role="region" aria-labelledby="connections-title">
        <table id="connections" hidden>
          <thead><tr>
            <th scope="col">No.</th><th scope="col">state</th><th scope="col">proves itself by</th>
            <th scope="col">requests</th><th scope="col">PINGs</th><th scope="col">GOAWAYs</th>
            <th scope="col">TLS</th><th scope="col">opened</th><th scope="col">fault</th>
          </tr></thead>
          <tbody id="connection-rows"></tbody>
        </table>
      </div>
    </section>
  </main>
  <noscript><p class="empty">This page needs JavaScript; GET /history has the same without.</p></noscript>
</body>
</html>
`;

export const pageIcon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<defs><linearGradient id="g" x1="0" y1="0" x2="1" y2="1"><stop stop-color="#7c5cff"/><stop offset="1" stop-color="#ff7a59"/></linearGradient></defs>
<rect width="32" height="32" rx="8" fill="url(#g)"/>
<path d="M16 6.5a6 6 0 0 0-6 6v4.2l-2 3.8h16l-2-3.8v-4.2a6 6 0 0 0-6-6zM13.4 22a2.7 2.7 0 0 0 5.2 0z" fill="#fff"/>
</svg>
`;
