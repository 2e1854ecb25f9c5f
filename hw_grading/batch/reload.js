// The reader can turn off the page's automatic reload; the address stores that choice.
const again = document.getElementById("again");
again.checked = location.hash !== "#still";
again.onchange = () => { location.hash = again.checked ? "" : "still"; };
setInterval(() => { if (again.checked) location.reload(); }, 5000);
