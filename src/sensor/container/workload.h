// Which workload a pod belongs to. A node does not see owners, only what controllers write into a pod's name and
// labels. Pure.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace redoubt::sensor {

using LabelMap = std::map<std::string, std::string, std::less<>>;

struct Workload {
  std::string
      type;  // Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, CronJob, Node (static pods); empty: none known
  std::string name;
};

Workload workload_of(std::string_view pod_name, const LabelMap& labels, const LabelMap& annotations);

}  // namespace redoubt::sensor
