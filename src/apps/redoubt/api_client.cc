#include "apps/redoubt/api_client.h"

#include <openssl/x509.h>
#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "apps/redoubt/output_file.h"
#include "base/hash.h"

namespace redoubt::cli {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

constexpr uint64_t kAnswerBytesMax = uint64_t{256} << 20;
constexpr size_t kPieceBytes = size_t{256} << 10;
constexpr int kConnectSeconds = 10;

struct Address {
  std::string host;
  std::string port;
};

Result<Address> parse_url(std::string_view url) {
  constexpr std::string_view kScheme = "https://";
  const auto bad = [&] { return fail(Errc::invalid_argument, "'" + std::string(url) + "' is not https://HOST:PORT"); };
  if (!url.starts_with(kScheme)) return bad();
  std::string_view rest = url.substr(kScheme.size());
  while (rest.ends_with('/')) rest.remove_suffix(1);
  const size_t colon = rest.rfind(':');
  const bool has_port = colon != std::string_view::npos && rest.find(']', colon) == std::string_view::npos;
  std::string host(has_port ? rest.substr(0, colon) : rest);
  std::string port(has_port ? rest.substr(colon + 1) : "443");
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty() || port.empty() || port.find_first_not_of("0123456789") != std::string::npos) return bad();
  return Address{std::move(host), std::move(port)};
}

// An operation at a time on a stream with a clock: started, run to its end.
class Connection {
 public:
  Connection() : tls_(asio::ssl::context::tls_client), stream_(io_, tls_) {
    SSL_CTX_set_min_proto_version(tls_.native_handle(), TLS1_3_VERSION);
    // Compared by fingerprint after the handshake, before the first byte is sent.
    tls_.set_verify_mode(asio::ssl::verify_none);
  }

  Status open(const Profile& profile) {
    TRY(const Address address, parse_url(profile.url));
    error_code error;
    asio::ip::tcp::resolver resolver(io_);
    const auto endpoints = resolver.resolve(address.host, address.port, error);
    if (error) return fail(Errc::unavailable, address.host + ": " + error.message());
    expire_after(kConnectSeconds);
    error = finish([&](auto done) { beast::get_lowest_layer(stream_).async_connect(endpoints, std::move(done)); });
    if (error) return failed("connect to " + profile.url, error);
    error = finish([&](auto done) { stream_.async_handshake(asio::ssl::stream_base::client, std::move(done)); });
    if (error) return failed("TLS with " + profile.url, error);
    return compare(profile);
  }

  template <class Body>
  Result<Answer> exchange(http::request<Body>& request, const Call& call) {
    expire_after(call.timeout_s);
    // A refusal (too large, no rights) may come while the body is still on its way: read it in any case.
    const error_code unsent = finish([&](auto done) { http::async_write(stream_, request, std::move(done)); });
    beast::flat_buffer buffer;
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    const error_code unread =
        finish([&](auto done) { http::async_read_header(stream_, buffer, parser, std::move(done)); });
    if (unread) return failed("talk to the node", unsent ? unsent : unread);
    Answer answer = head_of(parser.get());
    const bool wanted = answer.status >= 200 && answer.status < 300;
    if (wanted && !call.output.empty()) {
      TRY(OutputFile output, OutputFile::begin(call.output));
      TRY_STATUS(read_body(buffer, parser, [&](std::string_view piece) { return output.write(piece); }));
      TRY_STATUS(output.commit());
      return answer;
    }
    TRY_STATUS(read_body(buffer, parser, [&](std::string_view piece) -> Status {
      if (answer.body.size() + piece.size() > kAnswerBytesMax) return fail(Errc::too_large, "the answer is too large");
      answer.body += piece;
      return {};
    }));
    return answer;
  }

 private:
  static Answer head_of(const http::response<http::buffer_body>& response) {
    Answer answer{.status = static_cast<int>(response.result_int())};
    const std::string cookie(response[http::field::set_cookie]);
    answer.cookie = cookie.substr(0, cookie.find(';'));
    for (const auto& field : response) {
      std::string name(field.name_string());
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      if (name.starts_with("redoubt-")) answer.notes.emplace_back(std::move(name), std::string(field.value()));
    }
    return answer;
  }

  Status read_body(beast::flat_buffer& buffer, http::response_parser<http::buffer_body>& parser,
                   const std::function<Status(std::string_view)>& take) {
    std::string piece(kPieceBytes, '\0');
    while (!parser.is_done()) {
      auto& body = parser.get().body();
      body.data = piece.data();
      body.size = piece.size();
      body.more = true;
      const error_code unread = finish([&](auto done) { http::async_read(stream_, buffer, parser, std::move(done)); });
      if (unread && unread != http::error::need_buffer) return failed("read the answer", unread);
      TRY_STATUS(take(std::string_view(piece).substr(0, piece.size() - body.size)));
    }
    return {};
  }

  template <class Start>
  error_code finish(Start start) {
    error_code result = asio::error::would_block;
    start([&result](error_code error, auto&&...) { result = error; });
    io_.restart();
    io_.run();
    return result;
  }

  void expire_after(int seconds) { beast::get_lowest_layer(stream_).expires_after(std::chrono::seconds(seconds)); }

  Status compare(const Profile& profile) {
    X509* certificate = SSL_get0_peer_certificate(stream_.native_handle());
    unsigned char* der = nullptr;
    const int size = certificate == nullptr ? 0 : i2d_X509(certificate, &der);
    const std::string seen =
        size <= 0 ? "" : base::sha256_hex({reinterpret_cast<const char*>(der), static_cast<size_t>(size)});
    OPENSSL_free(der);
    if (!seen.empty() && base::equal_secret(seen, profile.fingerprint)) return {};
    return fail(Errc::unauthenticated, profile.url + " shows another certificate (fingerprint " + seen +
                                           ") than the profile trusts (" + profile.fingerprint + ")");
  }

  static tl::unexpected<Error> failed(const std::string& what, const error_code& error) {
    if (error == beast::error::timeout) return fail(Errc::timeout, what + ": no answer in time");
    return fail(Errc::unavailable, what + ": " + error.message());
  }

  asio::io_context io_;
  asio::ssl::context tls_;
  TlsStream stream_;
};

template <class Body>
void fill_head(http::request<Body>& request, const Profile& profile, const Call& call) {
  request.method_string(call.method);
  request.target("/api/v1" + call.target);
  request.version(11);
  request.keep_alive(false);
  request.set(http::field::host, profile.url.substr(profile.url.find("//") + 2));
  request.set(http::field::user_agent, std::string("redoubt/") + REDOUBT_VERSION);
  if (!profile.token.empty()) request.set(http::field::authorization, "Bearer " + profile.token);
  for (const auto& [name, value] : call.headers) request.set(name, value);
}

Result<Answer> send_body(Connection& connection, const Profile& profile, const Call& call) {
  http::request<http::string_body> request;
  fill_head(request, profile, call);
  if (!call.body.empty()) request.set(http::field::content_type, "application/json");
  request.body() = call.body;
  request.prepare_payload();
  return connection.exchange(request, call);
}

Result<Answer> send_file(Connection& connection, const Profile& profile, const Call& call) {
  http::request<http::file_body> request;
  fill_head(request, profile, call);
  error_code error;
  request.body().open(call.file.c_str(), beast::file_mode::scan, error);
  if (error) return fail(Errc::io, call.file + ": " + error.message());
  request.set(http::field::content_type, "application/octet-stream");
  request.prepare_payload();
  return connection.exchange(request, call);
}

}  // namespace

Result<Answer> send_call(const Profile& profile, const Call& call) {
  try {
    Connection connection;
    TRY_STATUS(connection.open(profile));
    return call.file.empty() ? send_body(connection, profile, call) : send_file(connection, profile, call);
  } catch (const std::exception& error) {
    return fail(Errc::internal, error.what());
  }
}

}  // namespace redoubt::cli
