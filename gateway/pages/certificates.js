window.addEventListener("DOMContentLoaded", () => {
  const outcome = document.getElementById("outcome");
  const told = document.getElementById("told");
  const words = JSON.parse(told.dataset.words);

  const show = (said) => {
    outcome.className = said.state;
    outcome.textContent = words.states[said.state];
    for (const [name, word] of Object.entries(words.fields)) {
      if (said[name] === null) continue;
      const term = document.createElement("dt");
      const description = document.createElement("dd");
      term.textContent = word;
      description.textContent = words.values[name]?.[said[name]] ?? said[name];
      told.append(term, description);
    }
  };

  document.getElementById("check").addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = new FormData(event.target);
    const number = encodeURIComponent(given.get("certificate_no").trim());
    const code = encodeURIComponent(given.get("code").trim());
    told.replaceChildren();
    outcome.className = outcome.textContent = "";
    try {
      const answer = await fetch(`/api/v1/certificates/${number}?code=${code}`, { headers: { "Accept-Language": "zh" } });
      const said = await answer.json();
      if (answer.ok) show(said);
      else outcome.textContent = said.zh;
    } catch {
      outcome.textContent = "暂时无法查验，请稍后重试。";
    }
  });
});
