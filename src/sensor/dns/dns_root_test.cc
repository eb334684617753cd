// Name look-ups of real programs, answered by a real server with a zone of the test's own.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/tcp.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "base/file.h"
#include "sensor/dns/test_dns.h"
#include "sensor/network/test_network.h"

namespace redoubt::sensor {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

constexpr const char* kServer = "/usr/sbin/dnsmasq";

// A child with a network of its own, a server of names in it, and files that say so.
class DnsTest : public NetworkTest {
 protected:
  void SetUp() override {
    NetworkTest::SetUp();
    if (access(kServer, X_OK) != 0) GTEST_SKIP() << "skipped: no " << kServer;
    set_resolver_options("timeout:1 attempts:5");
    std::ofstream(directory_ / "nsswitch.conf") << "hosts: dns\n";
  }

  void set_resolver_options(const std::string& options) {
    std::ofstream(directory_ / "resolv.conf") << "nameserver 127.0.0.1\noptions " << options << "\n";
  }

  pid_t in_named_network(const std::function<void()>& act) {
    return in_own_network([&] {
      if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) _exit(9);
      for (const char* name : {"resolv.conf", "nsswitch.conf"}) {
        const std::string path = std::string("/etc/") + name;
        close(open(path.c_str(), O_WRONLY | O_CREAT, 0644));
        if (mount((directory_ / name).c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) _exit(9);
      }
      const pid_t server = launch(
          {kServer, "--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
           "--listen-address=127.0.0.1", "--bind-interfaces", "--user=root", "--pid-file=", "--local=/redoubt.example/",
           "--host-record=www.redoubt.example,127.0.0.7", "--txt-record=note.redoubt.example,hello there"});
      wait_for_server();
      act();
      kill(server, SIGTERM);
      finish(server);
    });
  }

  // Until the port is taken.
  static void wait_for_server() {
    for (int i = 0; i < 1000; ++i) {
      const base::UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
      Address server = address_of("127.0.0.1", 53);
      if (connect(fd.get(), server.get(), server.size) == 0) return;
      usleep(10'000);
    }
  }

  std::vector<std::string> lookups_by(const std::string& program, const std::string& transport = "udp") {
    std::vector<std::string> texts;
    const auto is_it = [&](const v1::Event& event) {
      return event.event_type() == v1::EVENT_TYPE_DNS && event.process_name() == program &&
             event.network_transport() == transport && event.dns_question_name().ends_with("redoubt.example");
    };
    for (const v1::Event& event : events_.all(is_it)) {
      std::string text = event.event_action() + " " + event.dns_question_name() + " " + event.dns_question_type();
      if (event.has_dns_response_code()) text += " " + event.dns_response_code();
      if (event.has_dns_answers()) text += " " + event.dns_answers();
      if (event.has_event_count()) text += " x" + std::to_string(event.event_count());
      texts.push_back(text);
      EXPECT_EQ(event.destination_ip(), "127.0.0.1");
      EXPECT_EQ(event.destination_port(), 53);
    }
    return texts;
  }

  base::TempDir directory_;
};

TEST_F(DnsTest, tells_who_asked_for_what_and_what_the_answer_was) {
  watch();
  const pid_t pid = in_named_network([] {
    finish(launch({"/usr/bin/getent", "ahosts", "www.redoubt.example"}));
    finish(launch({"/usr/bin/getent", "ahosts", "Missing.redoubt.example"}));
  });
  EXPECT_EQ(finish(pid), 0);
  ASSERT_TRUE(events_.wait_for(is_end_of(pid)));
  EXPECT_THAT(lookups_by("getent"),
              UnorderedElementsAre("query www.redoubt.example A", "query www.redoubt.example AAAA",
                                   "answer www.redoubt.example A NOERROR 127.0.0.7",
                                   "answer www.redoubt.example AAAA NOERROR", "query missing.redoubt.example A",
                                   "query missing.redoubt.example AAAA", "answer missing.redoubt.example A NXDOMAIN",
                                   "answer missing.redoubt.example AAAA NXDOMAIN"));
  EXPECT_THAT(lookups_by("dnsmasq"), testing::IsEmpty()) << "who answers does not ask";
}

TEST_F(DnsTest, names_the_destination_of_connections) {
  watch();
  pid_t client = 0;
  int report[2];
  ASSERT_EQ(pipe(report), 0);
  const pid_t pid = in_named_network([&] {
    finish(launch({"/usr/bin/getent", "ahosts", "www.redoubt.example"}));
    client = in_child([] {
      for (const char* address : {"127.0.0.7", "127.0.0.8"}) {
        Address peer = address_of(address, 443);
        connect(socket(AF_INET, SOCK_STREAM, 0), peer.get(), peer.size);
        sendto(socket(AF_INET, SOCK_DGRAM, 0), "x", 1, 0, peer.get(), peer.size);
      }
    });
    finish(client);
    (void)!write(report[1], &client, sizeof client);
  });
  EXPECT_EQ(finish(pid), 0);
  ASSERT_EQ(read(report[0], &client, sizeof client), static_cast<ssize_t>(sizeof client));
  close(report[0]);
  close(report[1]);
  ASSERT_TRUE(events_.wait_for(is_end_of(client)));
  std::vector<std::string> texts;
  for (const v1::Event& event : events_.all([&](const v1::Event& event) {
         return event.process_pid() == client && event.event_type() == v1::EVENT_TYPE_CONNECTION;
       })) {
    texts.push_back(event.event_action() + " " + event.destination_ip() + " " + event.destination_domain());
  }
  EXPECT_THAT(texts, ElementsAre("connect 127.0.0.7 www.redoubt.example", "send 127.0.0.7 www.redoubt.example",
                                 "connect 127.0.0.8 ", "send 127.0.0.8 "));
}

TEST_F(DnsTest, counts_questions_that_are_asked_again) {
  start();
  const pid_t pid = in_named_network([] {
    finish(launch({"/bin/sh", "-c",
                   "exec /usr/bin/getent ahosts www.redoubt.example www.redoubt.example "
                   "www.redoubt.example www.redoubt.example"}));
  });
  EXPECT_EQ(finish(pid), 0);
  ASSERT_TRUE(events_.wait_for(is_end_of(pid)));
  EXPECT_EQ(lookups_by("getent").size(), 4U) << "two types, each with its answer";
  stop();
  EXPECT_THAT(lookups_by("getent"), Contains("query www.redoubt.example A x3"));
  EXPECT_THAT(lookups_by("getent"), Contains("query www.redoubt.example AAAA x3"));
}

TEST_F(DnsTest, tells_what_is_asked_over_tcp) {
  watch();
  set_resolver_options("use-vc timeout:1 attempts:5");
  const pid_t pid = in_named_network([] {
    finish(launch({"/usr/bin/getent", "ahosts", "www.redoubt.example"}));
    finish(launch({"/usr/bin/getent", "ahosts", "missing.redoubt.example"}));
  });
  EXPECT_EQ(finish(pid), 0);
  ASSERT_TRUE(events_.wait_for(is_end_of(pid)));
  EXPECT_THAT(lookups_by("getent", "tcp"),
              UnorderedElementsAre("query www.redoubt.example A", "query www.redoubt.example AAAA",
                                   "answer www.redoubt.example A NOERROR 127.0.0.7",
                                   "answer www.redoubt.example AAAA NOERROR", "query missing.redoubt.example A",
                                   "query missing.redoubt.example AAAA", "answer missing.redoubt.example A NXDOMAIN",
                                   "answer missing.redoubt.example AAAA NXDOMAIN"));
  EXPECT_THAT(lookups_by("dnsmasq", "tcp"), testing::IsEmpty()) << "who answers does not ask";
}

// Packets of a byte each, then one with two questions in it.
void ask_in_pieces() {
  const auto framed = [](const std::string& message) {
    return wire_u16(static_cast<unsigned>(message.size())) + message;
  };
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  Address server = address_of("127.0.0.1", 53);
  const int at_once = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  if (connect(fd, server.get(), server.size) != 0) _exit(5);
  for (const char byte : framed(dns_query({.id = 1, .name = "www.redoubt.example"}))) {
    if (write(fd, &byte, 1) != 1) _exit(6);
  }
  const std::string two = framed(dns_query({.id = 2, .name = "note.redoubt.example", .type = 16})) +
                          framed(dns_query({.id = 3, .name = "none.redoubt.example"}));
  if (write(fd, two.data(), two.size()) != static_cast<ssize_t>(two.size())) _exit(6);
  for (int answers = 0; answers < 3; ++answers) {
    unsigned char length[2];
    if (recv(fd, length, sizeof length, MSG_WAITALL) != 2) _exit(7);
    std::string answer(static_cast<size_t>(length[0]) << 8 | length[1], '\0');
    if (recv(fd, answer.data(), answer.size(), MSG_WAITALL) != static_cast<ssize_t>(answer.size())) _exit(7);
  }
}

TEST_F(DnsTest, reads_questions_over_tcp_however_they_are_split) {
  watch();
  const pid_t pid = in_named_network([] {
    if (finish(in_child(ask_in_pieces)) != 0) _exit(8);
  });
  EXPECT_EQ(finish(pid), 0);
  ASSERT_TRUE(events_.wait_for(is_end_of(pid)));
  EXPECT_THAT(
      lookups_by(own_executable().substr(own_executable().rfind('/') + 1), "tcp"),
      UnorderedElementsAre("query www.redoubt.example A", "answer www.redoubt.example A NOERROR 127.0.0.7",
                           "query note.redoubt.example TXT", "answer note.redoubt.example TXT NOERROR hello there",
                           "query none.redoubt.example A", "answer none.redoubt.example A NXDOMAIN"));
}

}  // namespace
}  // namespace redoubt::sensor
