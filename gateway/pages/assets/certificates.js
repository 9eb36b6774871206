window.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("check");
  const outcome = document.getElementById("outcome");
  const details = document.getElementById("details");
  const words = JSON.parse(details.dataset.words);

  const show = (certificate) => {
    outcome.className = certificate.state;
    outcome.textContent = words.states[certificate.state];
    for (const [name, word] of Object.entries(words.fields)) {
      const value = certificate[name];
      if (value === null) continue;
      const term = document.createElement("dt");
      const description = document.createElement("dd");
      term.textContent = word;
      description.textContent = words.values[name]?.[value] ?? value;
      details.append(term, description);
    }
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [number, code] = ["certificate_no", "code"].map((name) => encodeURIComponent(form.elements[name].value.trim()));
    details.replaceChildren();
    outcome.className = outcome.textContent = "";
    try {
      const response = await fetch(`/api/v1/certificates/${number}?code=${code}`);
      const body = await response.json();
      if (response.ok) show(body);
      else outcome.textContent = `${body.zh} ${body.en}`;
    } catch {
      outcome.textContent = "暂时无法查验，请稍后重试。 The check is not available now; try again later.";
    }
  });

  // An address like /certificates#NUMBER/CODE fills the form; browsers send the part behind # to nobody.
  const [number, code] = decodeURIComponent(location.hash.slice(1)).split("/");
  if (number && code) {
    form.elements.certificate_no.value = number;
    form.elements.code.value = code;
    form.requestSubmit();
  }
});
