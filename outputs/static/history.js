// Draws the table of hours as a chart.  Without it the table is there.
"use strict";

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function stampOf(hour) {
  return new Date(hour * 3600e3).toISOString().slice(0, 16).replace("T", " ");
}

function hoursOf(canvas) {
  const first = Number(canvas.dataset.first);
  const hours = Array.from({ length: Number(canvas.dataset.hours) },
                           (_, i) => ({ label: stampOf(first + i), count: 0, time: "" }));
  for (const row of document.getElementById(canvas.dataset.table).tBodies[0].rows) {
    const hour = hours[Number(row.dataset.hour) - first];
    hour.count = Number(row.dataset.count);
    hour.time = row.cells[2].textContent;
  }
  return hours;
}

function draw(canvas) {
  const hours = hoursOf(canvas);
  const ticks = { color: colour("--soft"), maxRotation: 0, autoSkipPadding: 24 };
  return new Chart(canvas, {
    type: "bar",
    data: {
      labels: hours.map((hour) => hour.label),
      datasets: [{ data: hours.map((hour) => hour.count || null), backgroundColor: colour("--bar"), minBarLength: 2 }],
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      plugins: {
        legend: { display: false },
        tooltip: {
          callbacks: {
            title: (items) => items[0].label + " UTC",
            label: (item) => `${item.formattedValue} times` +
                             (hours[item.dataIndex].time && `, ${hours[item.dataIndex].time} in the database`),
          },
        },
      },
      scales: {
        x: { grid: { display: false }, ticks },
        y: { beginAtZero: true, grid: { color: colour("--line") }, ticks: { ...ticks, precision: 0 } },
      },
    },
  });
}

for (const canvas of document.querySelectorAll("canvas[data-table]")) {
  canvas.parentElement.hidden = false;
  let chart = draw(canvas);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    chart.destroy();
    chart = draw(canvas);
  });
}
