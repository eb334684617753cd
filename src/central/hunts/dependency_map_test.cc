// Neighbours of a node over the embedded store.
#include "central/hunts/dependency_map.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "central/test_events.h"

namespace redoubt::central {
namespace {

using testing::entity;
using testing::process_event;

class DependencyMapTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = store::open_embedded_store({.directory = directory_.path()});
    ASSERT_TRUE(store) << store.error().message;
    store_ = *std::move(store);
  }

  v1::Event& act(int process, const std::string& path, v1::EventType type, const std::string& action) {
    events_.push_back(process_event(events_.size() + 1, process, 0, path));
    events_.back().set_event_type(type);
    events_.back().set_event_action(action);
    return events_.back();
  }
  void exec(int process, int parent, const std::string& path) {
    events_.push_back(process_event(events_.size() + 1, process, parent, path));
  }
  void file(int process, const std::string& action, const std::string& path, int64_t count = 0) {
    v1::Event& event = act(process, "/bin/bash", v1::EVENT_TYPE_FILECHANGE, action);
    event.set_file_path(path);
    if (count != 0) event.set_event_count(count);
  }
  void connection(int process, const std::string& direction, const std::string& from, const std::string& to) {
    v1::Event& event =
        act(process, "/bin/bash", v1::EVENT_TYPE_CONNECTION, direction == "inbound" ? "accept" : "connect");
    event.set_network_direction(direction);
    event.set_network_transport("tcp");
    event.set_source_ip(from);
    event.set_destination_ip(to);
    event.set_destination_port(443);
  }

  MapAnswer ask(MapRequest request) {
    if (!stored_) {
      const event::Frame frame = testing::frame_of(events_);
      EXPECT_TRUE(store_->append("host", frame, testing::batch_of(frame)));
      stored_ = true;
    }
    auto answer = neighbours_of(*store_, request);
    EXPECT_TRUE(answer) << answer.error().message;
    return answer ? *std::move(answer) : MapAnswer();
  }
  // "out wrote /tmp/x 3 create,change"
  static std::vector<std::string> lines(const MapAnswer& answer) {
    std::vector<std::string> lines;
    for (const MapNeighbour& one : answer.neighbours) {
      std::string line = one.direction == MapDirection::out ? "out " : "in ";
      line += std::string(name_of(one.relation)) + ' ';
      line += one.node.kind == MapKind::process ? std::to_string(one.node.pid) + ' ' + one.node.name : one.node.id;
      line += ' ' + std::to_string(one.count);
      for (const std::string& note : one.notes) line += ' ' + note;
      lines.push_back(line);
    }
    return lines;
  }
  using Lines = std::vector<std::string>;

  base::TempDir directory_;
  std::unique_ptr<store::EventStore> store_;
  std::vector<v1::Event> events_;
  bool stored_ = false;
};

TEST_F(DependencyMapTest, a_process_has_its_relations_and_files_and_addresses) {
  exec(1, 0, "/sbin/init");
  exec(2, 1, "/bin/bash");
  exec(3, 2, "/usr/bin/env");
  exec(3, 2, "/usr/bin/python3");
  exec(4, 3, "/bin/other");
  file(2, "create", "/tmp/x");
  file(2, "change", "/tmp/x", 5);
  file(2, "read", "/etc/shadow");
  file(3, "create", "/tmp/y");
  connection(2, "outbound", "10.0.0.1", "192.0.2.7");
  connection(2, "outbound", "10.0.0.1", "192.0.2.7");
  connection(2, "inbound", "203.0.113.5", "10.0.0.1");
  act(2, "/bin/bash", v1::EVENT_TYPE_DNS, "query").set_dns_question_name("evil.example");
  v1::Event& traced = act(2, "/bin/bash", v1::EVENT_TYPE_PTRACE, "ptrace");
  traced.set_target_process_entity_id(entity(4));
  traced.set_target_process_pid(4);
  traced.set_target_process_name("other");
  traced.set_ptrace_request("PTRACE_ATTACH");
  const MapAnswer answer = ask({.id = entity(2), .host_id = "host"});
  EXPECT_EQ(answer.node.name, "bash");
  EXPECT_EQ(answer.node.host_name, "web-1");
  EXPECT_FALSE(answer.partial);
  EXPECT_EQ(lines(answer), (Lines{"out started 3 python3 1", "in started 1  1", "out ran /bin/bash 1",
                                  "out wrote /tmp/x 6 create change", "out read /etc/shadow 1 read",
                                  "out connected 192.0.2.7 2 443/tcp", "out accepted 203.0.113.5 1 443/tcp",
                                  "out looked_up evil.example 1", "out acted_on 4 other 1 PTRACE_ATTACH"}));
  EXPECT_EQ(lines(ask({.id = entity(4)})),
            (Lines{"in started 3  1", "out ran /bin/other 1", "in acted_on 2 bash 1 PTRACE_ATTACH"}));
}

TEST_F(DependencyMapTest, files_addresses_and_domains_lead_to_processes) {
  exec(2, 1, "/tmp/Tool");
  exec(3, 1, "/tmp/tool");
  file(4, "create", "/tmp/tool");
  connection(2, "outbound", "10.0.0.1", "192.0.2.7");
  events_.back().set_destination_domain("evil.example");
  connection(3, "inbound", "192.0.2.7", "10.0.0.1");
  connection(3, "inbound", "192.0.2.8", "192.0.2.7");
  act(3, "/tmp/tool", v1::EVENT_TYPE_DNS, "query").set_dns_question_name("evil.example");
  // Paths are compared with their case.
  EXPECT_EQ(lines(ask({.kind = MapKind::file, .id = "/tmp/tool", .host_id = "host"})),
            (Lines{"in ran 3 tool 1", "in wrote 4 bash 1 create"}));
  EXPECT_EQ(lines(ask({.kind = MapKind::address, .id = "192.0.2.7"})),
            (Lines{"in connected 2 bash 1 443/tcp", "in accepted 3 bash 1 443/tcp", "in resolved evil.example 1"}));
  EXPECT_EQ(lines(ask({.kind = MapKind::domain, .id = "evil.example"})),
            (Lines{"in looked_up 3 tool 1", "out resolved 192.0.2.7 1 443/tcp"}));
  EXPECT_EQ(lines(ask({.kind = MapKind::file, .id = "/tmp/tool", .host_id = "another"})), Lines{});
}

TEST_F(DependencyMapTest, a_host_has_the_processes_that_lead_to_all_others) {
  exec(2, 1, "/bin/bash");
  exec(3, 2, "/bin/ls");
  exec(4, 9, "/bin/cron");
  EXPECT_EQ(lines(ask({.kind = MapKind::host, .id = "host"})), (Lines{"out hosts 2 bash 1", "out hosts 4 cron 1"}));
}

TEST_F(DependencyMapTest, a_flood_is_cut_and_counted) {
  exec(1, 0, "/bin/bash");
  for (int i = 0; i < 300; ++i) file(1, "create", "/tmp/" + std::to_string(1000 + i));
  const MapAnswer answer = ask({.id = entity(1), .limit = 10});
  EXPECT_EQ(answer.neighbours.size(), 11u);
  EXPECT_EQ(answer.more[2 * static_cast<size_t>(MapRelation::wrote)], 290u);
  EXPECT_EQ(answer.neighbours[1].node.id, "/tmp/1000");
}

TEST_F(DependencyMapTest, time_and_host_narrow_it) {
  exec(1, 0, "/bin/bash");
  file(1, "create", "/tmp/early");
  file(1, "create", "/tmp/late");
  const base::Time late{events_.back().event_time()};
  const MapAnswer answer = ask({.id = entity(1), .since = late});
  EXPECT_EQ(lines(answer), (Lines{"out ran /bin/bash 1", "out wrote /tmp/late 1 create"}));
  EXPECT_EQ(neighbours_of(*store_, {.id = entity(1), .host_id = "another"}).error().code, Errc::not_found);
  EXPECT_EQ(neighbours_of(*store_, {.id = entity(77)}).error().code, Errc::not_found);
}

TEST_F(DependencyMapTest, a_parent_without_events_is_what_its_child_says) {
  exec(5, 4, "/bin/bash");
  const MapAnswer answer = ask({.id = entity(4)});
  EXPECT_EQ(answer.node.executable, "/parent/4");
  EXPECT_EQ(lines(answer), (Lines{"out started 5 bash 1"}));
}

}  // namespace
}  // namespace redoubt::central
