function escaped(text) {
  const box = document.createElement("div");
  box.textContent = text;
  return box.innerHTML;
}

/* What our texts use of Teams' Markdown: bold, lists, and marks taken as they are. The renderer itself knows none. */
function markdown(text) {
  return escaped(text)
    .replace(/\*\*(.+?)\*\*/g, "<b>$1</b>")
    .replace(/(?:^- .+\n?)+/gm, (list) => `<ul>${list.replace(/^- (.+)\n?/gm, "<li>$1</li>")}</ul>`)
    .replace(/(?:^\d+\. .+\n?)+/gm, (list) => `<ol>${list.replace(/^\d+\. (.+)\n?/gm, "<li>$1</li>")}</ol>`)
    .replace(/\\(?=[^\w\s])/g, "");
}

/* Draws a card in place of the one before, and returns what the renderer has against it. */
function draw(card, host, theme, width) {
  AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
    result.outputHtml = markdown(text);
    result.didProcess = true;
  };
  const drawn = new AdaptiveCards.AdaptiveCard();
  drawn.hostConfig = new AdaptiveCards.HostConfig(host);
  const seen = new AdaptiveCards.SerializationContext();
  drawn.parse(card, seen);
  const place = document.getElementById("card");
  place.className = theme;
  place.style.width = `${width}px`;
  place.replaceChildren(drawn.render());
  return Array.from({ length: seen.eventCount }, (_, i) => seen.getEventAt(i).message);
}
