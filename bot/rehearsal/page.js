const WIDTH_PX = 560;

/* Without Microsoft's renderer: what can be read on a card, in its order, as it stands. */
function texts(part) {
  if (part.type === "TextBlock") return [part.text];
  if (part.type === "RichTextBlock") return [part.inlines.map((run) => run.text).join("")];
  if (part.type === "ActionSet") return part.actions.map((action) => `[ ${action.title} ]`);
  if (String(part.type).startsWith("Input.")) return [`${part.label}: ${part.value ?? ""}`];
  return [...(part.body ?? []), ...(part.items ?? []), ...(part.columns ?? [])].flatMap(texts);
}

function plain(card) {
  const lines = texts(card).map((text) => {
    const line = document.createElement("p");
    line.textContent = text;
    return line;
  });
  const place = document.getElementById("card");
  place.className = "plain";
  place.replaceChildren(...lines);
}

const shown = JSON.parse(document.getElementById("data").textContent);
if (typeof AdaptiveCards === "undefined") plain(shown);
else draw(shown, HOST, "light", WIDTH_PX);
