window.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("check");
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

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [number, code] = ["certificate_no", "code"].map((name) => encodeURIComponent(form.elements[name].value.trim()));
    told.replaceChildren();
    outcome.className = outcome.textContent = "";
    try {
      const answer = await fetch(`/api/v1/certificates/${number}?code=${code}`);
      const said = await answer.json();
      if (answer.ok) show(said);
      else outcome.textContent = `${said.zh} ${said.en}`;
    } catch {
      outcome.textContent = "暂时无法查验，请稍后重试。 Not now; come again.";
    }
  });

  // An address like /certificates#NUMBER/CODE fills the form; what stands behind # is sent to nobody.
  const [number, code] = decodeURIComponent(location.hash.slice(1)).split("/");
  if (number && code) {
    form.elements.certificate_no.value = number;
    form.elements.code.value = code;
    form.requestSubmit();
  }
});
