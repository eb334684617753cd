#include "sensor/container/workload.h"

#include <algorithm>
#include <optional>

namespace redoubt::sensor {

namespace {

// The letters of generated names: none that make words.
constexpr std::string_view kNameAlphabet = "bcdfghjklmnpqrstvwxz2456789";
constexpr size_t kPodSuffix = 5;

bool is_generated(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return kNameAlphabet.find(c) != std::string_view::npos; });
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// NAME-REST, cut at the last dash.
struct Cut {
  std::string_view name;
  std::string_view rest;
};
std::optional<Cut> cut_last(std::string_view text) {
  const size_t dash = text.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  return Cut{text.substr(0, dash), text.substr(dash + 1)};
}

// What a pod's name begins with when a controller generated its end.
std::string_view without_pod_suffix(std::string_view pod_name) {
  const auto cut = cut_last(pod_name);
  return cut && cut->rest.size() == kPodSuffix && is_generated(cut->rest) ? cut->name : std::string_view{};
}

std::string_view label(const LabelMap& labels, std::string_view key) {
  const auto found = labels.find(key);
  return found == labels.end() ? std::string_view{} : std::string_view(found->second);
}

// A CronJob names its Jobs NAME-TIME, the time in minutes (seconds before Kubernetes 1.21) since the epoch.
Workload job_named(std::string_view name) {
  constexpr size_t kTimeDigitsMin = 8;
  const auto cut = cut_last(name);
  if (cut && cut->rest.size() >= kTimeDigitsMin && is_number(cut->rest)) return {"CronJob", std::string(cut->name)};
  return {"Job", std::string(name)};
}

Workload by_labels(std::string_view pod_name, const LabelMap& labels) {
  for (const std::string_view key : {"batch.kubernetes.io/job-name", "job-name"}) {
    if (const std::string_view job = label(labels, key); !job.empty()) return job_named(job);
  }
  if (!label(labels, "statefulset.kubernetes.io/pod-name").empty()) {
    if (const auto cut = cut_last(pod_name); cut && is_number(cut->rest))
      return {"StatefulSet", std::string(cut->name)};
  }
  const std::string_view base = without_pod_suffix(pod_name);
  if (const std::string_view hash = label(labels, "pod-template-hash"); !hash.empty() && !base.empty()) {
    const auto cut = cut_last(base);
    if (cut && cut->rest == hash) return {"Deployment", std::string(cut->name)};
    return {"ReplicaSet", std::string(base)};
  }
  if (!label(labels, "controller-revision-hash").empty()) {
    if (!base.empty()) return {"DaemonSet", std::string(base)};
    if (const auto cut = cut_last(pod_name); cut && is_number(cut->rest))
      return {"StatefulSet", std::string(cut->name)};
  }
  return {};
}

// Without labels: only the shape of a Deployment's pods is its own.
Workload by_name(std::string_view pod_name) {
  constexpr size_t kTemplateHashMin = 6;
  constexpr size_t kTemplateHashMax = 10;
  const auto cut = cut_last(without_pod_suffix(pod_name));
  const bool is_hash =
      cut && cut->rest.size() >= kTemplateHashMin && cut->rest.size() <= kTemplateHashMax && is_generated(cut->rest);
  if (is_hash) return {"Deployment", std::string(cut->name)};
  return {};
}

}  // namespace

Workload workload_of(std::string_view pod_name, const LabelMap& labels, const LabelMap& annotations) {
  // The kubelet names a static pod after its file and the node.
  const std::string_view source = label(annotations, "kubernetes.io/config.source");
  if (source == "file" || source == "http") return {"Node", std::string(pod_name)};
  Workload owner = by_labels(pod_name, labels);
  return owner.type.empty() && labels.empty() ? by_name(pod_name) : owner;
}

}  // namespace redoubt::sensor
