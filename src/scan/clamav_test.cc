#include "scan/clamav.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cstring>
#include <thread>

#include "base/time.h"

namespace redoubt::scan {
namespace {

int64_t in_ms(int64_t ms) { return base::boottime_ns() + ms * 1'000'000; }

// Answers every connection with the same bytes, whatever it is asked; nothing: it never answers.
class FakeClamd {
 public:
  explicit FakeClamd(std::string answer) : answer_(std::move(answer)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path().c_str());
    listener_ = base::UniqueFd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    CHECK(listen(listener_.get(), 8) == 0);
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeClamd() {
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  std::string path() const { return directory_ / "s"; }

 private:
  void serve() {
    while (true) {
      base::UniqueFd peer(accept(listener_.get(), nullptr, nullptr));
      if (!peer) return;
      if (!answer_.empty()) (void)!write(peer.get(), answer_.data(), answer_.size());
      if (answer_.empty()) held_ = std::move(peer);
    }
  }
  std::string answer_;
  base::TempDir directory_;
  base::UniqueFd listener_;
  base::UniqueFd held_;
  std::thread thread_;
};

TEST(ClamdReply, says_what_clamd_said) {
  EXPECT_EQ(parse_clamd_reply("fd[10]: OK")->kind, ClamdReply::Kind::clean);
  const auto found = parse_clamd_reply("fd[10]: Win.Test.EICAR_HDB-1 FOUND");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kind, ClamdReply::Kind::found);
  EXPECT_EQ(found->text, "Win.Test.EICAR_HDB-1");
  const auto error = parse_clamd_reply("fd[10]: Can't allocate memory ERROR");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, ClamdReply::Kind::error);
  EXPECT_EQ(error->text, "Can't allocate memory");
  for (const std::string_view bad : {"", "FOUND", " FOUND", "fd[10]: ", "OK ", "fd[1]:  FOUND", "UNKNOWN COMMAND"}) {
    EXPECT_FALSE(parse_clamd_reply(bad)) << bad;
  }
}

TEST(ClamdClient, silence_ends_at_the_deadline) {
  const FakeClamd clamd("");
  const auto pong = ClamdClient(clamd.path()).ping(in_ms(100));
  ASSERT_FALSE(pong);
  EXPECT_EQ(pong.error().code, Errc::timeout);
}

TEST(ClamdClient, nobody_there_is_unavailable) {
  const auto version = ClamdClient("/nowhere/clamd.sock").version(in_ms(1000));
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code, Errc::unavailable);
  EXPECT_EQ(ClamdClient(std::string(200, 'x')).ping(in_ms(10)).error().code, Errc::invalid_argument);
}

TEST(ClamdClient, endless_or_strange_answers_are_refused) {
  const base::UniqueFd content(memfd_create("content", MFD_CLOEXEC));
  for (const std::string& answer : {std::string(100'000, 'x'), std::string("HELLO\0", 6), std::string("fd: OK")}) {
    const FakeClamd clamd(answer);
    EXPECT_FALSE(ClamdClient(clamd.path()).scan(content, in_ms(2000)));
    EXPECT_FALSE(ClamdClient(clamd.path()).version(in_ms(2000)));
    EXPECT_FALSE(ClamdClient(clamd.path()).ping(in_ms(2000)));
  }
}

}  // namespace
}  // namespace redoubt::scan
