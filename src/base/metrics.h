// Counters and gauges of one program, shown in the Prometheus text format. Any thread; a metric lives as long as its
// registry.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

namespace redoubt::base {

class Metric {
 public:
  void add(int64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
  void set(int64_t value) { value_.store(value, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

enum class MetricKind { counter, gauge };

class Metrics {
 public:
  // The metric of that name and labels (`host="a",cause="ring"`, may be empty), made at its first use.
  Metric& counter(std::string_view name, std::string_view help, std::string_view labels = "");
  Metric& gauge(std::string_view name, std::string_view help, std::string_view labels = "");

  // The Prometheus text exposition format, version 0.0.4.
  std::string expose() const;

 private:
  struct Row {
    std::string name, help, labels;
    MetricKind kind;
    Metric metric;
  };
  Metric& find_or_make(MetricKind kind, std::string_view name, std::string_view help, std::string_view labels);

  mutable std::mutex mutex_;
  std::deque<Row> rows_;
};

}  // namespace redoubt::base
