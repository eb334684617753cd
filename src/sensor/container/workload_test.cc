#include "sensor/container/workload.h"

#include <gtest/gtest.h>

namespace redoubt::sensor {
namespace {

struct WorkloadRow {
  std::string pod;
  LabelMap labels;
  LabelMap annotations;
  std::string type;
  std::string name;
};

TEST(Workload, is_told_by_what_controllers_write) {
  const WorkloadRow rows[] = {
      {"web-6d4cf56db6-x7k2p", {{"pod-template-hash", "6d4cf56db6"}}, {}, "Deployment", "web"},
      {"my-web-app-6d4cf56db6-x7k2p", {{"pod-template-hash", "6d4cf56db6"}}, {}, "Deployment", "my-web-app"},
      {"front-x7k2p", {{"pod-template-hash", "6d4cf56db6"}}, {}, "ReplicaSet", "front"},
      {"db-0", {{"statefulset.kubernetes.io/pod-name", "db-0"}}, {}, "StatefulSet", "db"},
      {"db-12", {{"controller-revision-hash", "db-5f8"}}, {}, "StatefulSet", "db"},
      {"node-exporter-x7k2p", {{"controller-revision-hash", "5f8b"}}, {}, "DaemonSet", "node-exporter"},
      {"backup-28431560-x7k2p", {{"job-name", "backup-28431560"}}, {}, "CronJob", "backup"},
      {"migrate-x7k2p", {{"batch.kubernetes.io/job-name", "migrate"}}, {}, "Job", "migrate"},
      {"etcd-node1", {{"tier", "control-plane"}}, {{"kubernetes.io/config.source", "file"}}, "Node", "etcd-node1"},
      {"etcd-node1", {}, {{"kubernetes.io/config.source", "api"}}, "", ""},
      {"web-6d4cf56db6-x7k2p", {}, {}, "Deployment", "web"},
      {"web-6d4cf56db6-x7k2p", {{"app", "web"}}, {}, "", ""},
      {"toolbox", {}, {}, "", ""},
      {"-x7k2p", {{"pod-template-hash", "1"}}, {}, "", ""},
      {"", {}, {}, "", ""},
  };
  for (const WorkloadRow& row : rows) {
    const Workload owner = workload_of(row.pod, row.labels, row.annotations);
    EXPECT_EQ(owner.type, row.type) << row.pod;
    EXPECT_EQ(owner.name, row.name) << row.pod;
  }
}

}  // namespace
}  // namespace redoubt::sensor
