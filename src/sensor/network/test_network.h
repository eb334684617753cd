// What tests of the network source share: children with a network of their own, and events as short texts.
#pragma once

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cstring>

#include "sensor/test_sensor.h"

namespace redoubt::sensor {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// `text` is an address of either version.
inline Address address_of(const std::string& text, uint16_t port) {
  Address address;
  if (text.find(':') == std::string::npos) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    inet_pton(AF_INET, text.c_str(), &v4.sin_addr);
    address.size = sizeof v4;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr);
    address.size = sizeof v6;
  }
  return address;
}

inline uint16_t port_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  return ntohs(reinterpret_cast<sockaddr_in&>(storage).sin_port);
}

inline void raise_loopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  ioctl(fd, SIOCSIFFLAGS, &request);
  close(fd);
}

// A child whose network is empty but for loopback; it ends with 9 if it could not be made.
inline pid_t in_own_network(const std::function<void()>& act) {
  return in_child([&] {
    if (unshare(CLONE_NEWNET) != 0) _exit(9);
    raise_loopback();
    act();
  });
}

// An i386 system call of a 64-bit program. Its pointers must be in low_memory().
inline long call_i386(long number, long first, long second, long third = 0) {
  long result = number;
  asm volatile("int $0x80"
               : "+a"(result)
               : "b"(first), "c"(second), "d"(third), "S"(0L)
               : "memory", "r8", "r9", "r10", "r11");
  return static_cast<int>(result);
}

constexpr long kSocketcall32 = 102;

inline char* low_memory() {
  return static_cast<char*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0));
}

// "connect tcp 127.0.0.1->127.0.0.1:80 ECONNREFUSED": without what differs from run to run (the source's port).
inline std::string short_text(const v1::Event& event) {
  if (event.event_type() == v1::EVENT_TYPE_SOCKET && event.event_action() == "create") {
    return event.socket_family() + " " + event.socket_type() + " " + std::to_string(event.socket_protocol()) +
           (event.has_socket_descriptor() ? " fd " + std::to_string(event.socket_descriptor()) : "");
  }
  std::string text =
      event.event_action() + " " + event.network_transport() + " " + event.source_ip() + "->" + event.destination_ip();
  if (event.has_destination_port()) text += ":" + std::to_string(event.destination_port());
  if (event.has_error_code()) text += " " + event.error_code();
  if (event.has_event_count()) text += " x" + std::to_string(event.event_count());
  return text;
}

class NetworkTest : public SensorTest {
 protected:
  // What the sensor told of the process's sockets, in order, once it has ended.
  std::vector<std::string> told_of(pid_t pid) {
    EXPECT_EQ(finish(pid), 0);
    EXPECT_TRUE(events_.wait_for(is_end_of(pid)));
    std::vector<std::string> texts;
    const auto is_network = [pid](const v1::Event& event) {
      return event.process_pid() == pid &&
             (event.event_type() == v1::EVENT_TYPE_CONNECTION || event.event_type() == v1::EVENT_TYPE_LISTEN ||
              event.event_type() == v1::EVENT_TYPE_SOCKET);
    };
    for (const v1::Event& event : events_.all(is_network)) texts.push_back(short_text(event));
    return texts;
  }
};

}  // namespace redoubt::sensor
