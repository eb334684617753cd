#include "base/metrics.h"

#include <set>

namespace redoubt::base {

Metric& Metrics::counter(std::string_view name, std::string_view help, std::string_view labels) {
  return find_or_make(MetricKind::counter, name, help, labels);
}

Metric& Metrics::gauge(std::string_view name, std::string_view help, std::string_view labels) {
  return find_or_make(MetricKind::gauge, name, help, labels);
}

Metric& Metrics::find_or_make(MetricKind kind, std::string_view name, std::string_view help, std::string_view labels) {
  const std::lock_guard lock(mutex_);
  for (Row& row : rows_) {
    if (row.name == name && row.labels == labels) return row.metric;
  }
  Row& row = rows_.emplace_back();
  row.name = name;
  row.help = help;
  row.labels = labels;
  row.kind = kind;
  return row.metric;
}

std::string Metrics::expose() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  std::set<std::string_view> described;
  for (const Row& first : rows_) {
    if (!described.insert(first.name).second) continue;
    text += "# HELP " + first.name + " " + first.help + "\n";
    text += "# TYPE " + first.name + (first.kind == MetricKind::counter ? " counter\n" : " gauge\n");
    for (const Row& row : rows_) {
      if (row.name != first.name) continue;
      text += row.name + (row.labels.empty() ? "" : "{" + row.labels + "}") + " " + std::to_string(row.metric.value()) +
              "\n";
    }
  }
  return text;
}

}  // namespace redoubt::base
