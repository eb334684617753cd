#include "link/agent/enrolment.h"

#include <openssl/evp.h>
#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "link/certificate.h"

namespace redoubt::link {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using TlsStream = asio::ssl::stream<beast::tcp_stream>;

constexpr size_t kAnswerBodyMax = size_t{64} << 10;
constexpr size_t kFingerprintDigits = 64;
constexpr size_t kHostIdMax = 64;
constexpr unsigned kHttp11 = 11;

struct HostPort {
  std::string host;
  std::string port;
};

Result<HostPort> split_address(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size()) {
    return fail(Errc::invalid_argument, "'" + address + "' is not HOST:PORT");
  }
  HostPort parts{.host = address.substr(0, colon), .port = address.substr(colon + 1)};
  if (parts.host.starts_with('[') && parts.host.ends_with(']'))
    parts.host = parts.host.substr(1, parts.host.size() - 2);
  return parts;
}

Result<std::string> plain_fingerprint(const std::string& text) {
  std::string digits;
  for (const char c : text) {
    if (c != ':') digits += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (digits.size() != kFingerprintDigits || digits.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return fail(Errc::invalid_argument, "fingerprint must be 64 hexadecimal digits (SHA-256)");
  }
  return digits;
}

// Runs one asynchronous operation with the stream's deadline; `start` gets the handler to call with its error.
template <class Start>
Status step(asio::io_context& loop, TlsStream& stream, std::chrono::milliseconds timeout, const std::string& what,
            Start start) {
  error_code result = asio::error::would_block;
  beast::get_lowest_layer(stream).expires_after(timeout);
  start([&result](const error_code& error, const auto&...) { result = error; });
  loop.restart();
  loop.run();
  if (!result) return {};
  const bool late = result == beast::error::timeout;
  return fail(late ? Errc::timeout : Errc::unavailable, what + ": " + result.message());
}

Result<CertificateInfo> certificate_of(TlsStream& stream) {
  X509* const leaf = SSL_get1_peer_certificate(stream.native_handle());
  if (leaf == nullptr) return fail(Errc::unauthenticated, "node shows no certificate");
  BIO* const bio = BIO_new(BIO_s_mem());
  char* data = nullptr;
  const bool written = bio != nullptr && PEM_write_bio_X509(bio, leaf) == 1;
  const long size = written ? BIO_get_mem_data(bio, &data) : 0;
  const std::string pem(data, static_cast<size_t>(size));
  BIO_free(bio);
  X509_free(leaf);
  return read_certificate(pem);
}

std::string base64_of(const std::string& text) {
  std::string encoded((text.size() + 2) / 3 * 4 + 1, '\0');  // with a NUL
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  encoded.resize(static_cast<size_t>(size));
  return encoded;
}

struct Proxy {
  HostPort address;
  std::string authorization;  // value of Proxy-Authorization; empty: none
};

Result<Proxy> parse_proxy(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  std::string rest = url.starts_with(kScheme) ? url.substr(kScheme.size()) : url;
  while (rest.ends_with('/')) rest.pop_back();
  Proxy proxy;
  if (const size_t at = rest.rfind('@'); at != std::string::npos) {
    proxy.authorization = "Basic " + base64_of(rest.substr(0, at));
    rest = rest.substr(at + 1);
  }
  TRY(proxy.address, split_address(rest));
  return proxy;
}

Status connect_tcp(asio::io_context& loop, TlsStream& stream, const HostPort& address,
                   const EnrolmentRequest& request) {
  const std::string name = address.host + ":" + address.port;
  error_code error;
  asio::ip::tcp::resolver resolver(loop);
  const auto endpoints = resolver.resolve(address.host, address.port, error);
  if (error) return fail(Errc::unavailable, "resolve " + name + ": " + error.message());
  return step(loop, stream, request.timeout, "connect to " + name,
              [&](auto done) { beast::get_lowest_layer(stream).async_connect(endpoints, done); });
}

// Asks the proxy for a tunnel to the node. What it sees of it is TLS.
Status open_tunnel(asio::io_context& loop, TlsStream& stream, const Proxy& proxy, const EnrolmentRequest& request) {
  auto& tcp = beast::get_lowest_layer(stream);
  http::request<http::empty_body> ask(http::verb::connect, request.server, kHttp11);
  ask.set(http::field::host, request.server);
  if (!proxy.authorization.empty()) ask.set(http::field::proxy_authorization, proxy.authorization);
  TRY_STATUS(
      step(loop, stream, request.timeout, "ask the proxy", [&](auto done) { http::async_write(tcp, ask, done); }));
  beast::flat_buffer buffer;
  http::response_parser<http::empty_body> answer;
  answer.skip(true);  // no body follows a CONNECT
  TRY_STATUS(step(loop, stream, request.timeout, "read the proxy's answer",
                  [&](auto done) { http::async_read_header(tcp, buffer, answer, done); }));
  const unsigned status = answer.get().result_int();
  if (status / 100 != 2) {
    return fail(status == 407 ? Errc::permission_denied : Errc::unavailable,
                "proxy answers " + std::to_string(status) + " to CONNECT " + request.server);
  }
  return {};
}

// Connects, shakes hands, and gives the node's certificate once its fingerprint is the expected one.
Result<CertificateInfo> connect(asio::io_context& loop, TlsStream& stream, const EnrolmentRequest& request) {
  TRY(const HostPort parts, split_address(request.server));
  TRY(const std::string expected, plain_fingerprint(request.fingerprint));
  if (request.proxy.empty()) {
    TRY_STATUS(connect_tcp(loop, stream, parts, request));
  } else {
    TRY(const Proxy proxy, parse_proxy(request.proxy));
    TRY_STATUS(connect_tcp(loop, stream, proxy.address, request));
    TRY_STATUS(open_tunnel(loop, stream, proxy, request));
  }
  TRY_STATUS(step(loop, stream, request.timeout, "TLS with " + request.server,
                  [&](auto done) { stream.async_handshake(asio::ssl::stream_base::client, done); }));
  TRY(CertificateInfo info, certificate_of(stream));
  if (!base::equal_secret(info.fingerprint, expected)) {
    return fail(Errc::permission_denied, request.server + " shows the certificate " + info.fingerprint +
                                             ", which is not the expected one: wrong fingerprint, wrong node, or "
                                             "somebody in between");
  }
  return info;
}

Errc code_of(unsigned http_status) {
  switch (http_status) {
    case 400: return Errc::invalid_argument;
    case 401:
    case 403: return Errc::permission_denied;
    case 413: return Errc::too_large;
    case 429: return Errc::exhausted;
    default: return Errc::unavailable;
  }
}

std::string text_at(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Error refusal_of(unsigned http_status, const nlohmann::json& answer) {
  std::string message = "node answers " + std::to_string(http_status);
  const auto error = answer.is_object() ? answer.find("error") : answer.end();
  if (answer.is_object() && error != answer.end() && error->is_object()) message += ": " + text_at(*error, "message");
  return Error{code_of(http_status), std::move(message)};
}

Result<nlohmann::json> post(asio::io_context& loop, TlsStream& stream, const EnrolmentRequest& request,
                            const std::string& body) {
  http::request<http::string_body> message(http::verb::post, "/api/v1/enroll", kHttp11);
  message.set(http::field::host, request.server);
  message.set(http::field::content_type, "application/json");
  message.set(http::field::user_agent, "redoubt-agent/" REDOUBT_VERSION);
  message.body() = body;
  message.prepare_payload();
  TRY_STATUS(step(loop, stream, request.timeout, "send request",
                  [&](auto done) { http::async_write(stream, message, done); }));
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kAnswerBodyMax);
  TRY_STATUS(step(loop, stream, request.timeout, "read answer",
                  [&](auto done) { http::async_read(stream, buffer, parser, done); }));
  auto answer = nlohmann::json::parse(parser.get().body(), nullptr, false);
  if (parser.get().result_int() != 200 && parser.get().result_int() != 201) {
    return tl::unexpected<Error>(refusal_of(parser.get().result_int(), answer));
  }
  if (!answer.is_object()) return fail(Errc::corrupt, "node's answer is no JSON object");
  return answer;
}

// Believes nothing of the answer that can be checked.
Result<Identity> identity_from(const nlohmann::json& answer, const std::string& key_pem, const CertificateInfo& node) {
  Identity identity{.host_id = text_at(answer, "host_id"),
                    .key_pem = key_pem,
                    .certificate_pem = text_at(answer, "certificate"),
                    .ca_pem = text_at(answer, "ca"),
                    .link_address = text_at(answer, "link_address"),
                    .server_name = node.names.empty() ? node.common_name : node.names.front()};
  if (identity.host_id.empty() || identity.host_id.size() > kHostIdMax) {
    return fail(Errc::corrupt, "node's answer has no usable host_id");
  }
  TRY_STATUS(split_address(identity.link_address));
  TRY_STATUS(
      check_key_and_certificate({.key_pem = key_pem, .certificate_pem = identity.certificate_pem}, identity.ca_pem));
  TRY(const CertificateInfo own, read_certificate(identity.certificate_pem));
  if (own.common_name != identity.host_id) return fail(Errc::corrupt, "node's certificate names another host");
  return identity;
}

}  // namespace

Result<Identity> enrol(const EnrolmentRequest& request) {
  asio::io_context loop;
  asio::ssl::context tls(asio::ssl::context::tls_client);
  if (SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_3_VERSION) != 1) {
    return fail(Errc::internal, "TLS 1.3 is not available");
  }
  // The chain is not looked at: connect() compares the leaf itself before anything is sent.
  error_code ignored;
  tls.set_verify_mode(asio::ssl::verify_none, ignored);
  TlsStream stream(loop, tls);
  TRY(const CertificateInfo node, connect(loop, stream, request));
  TRY(const KeyAndRequest own, make_request(request.host_name.empty() ? "redoubt-agent" : request.host_name));
  const nlohmann::json body = {{"token", request.token}, {"csr", own.request_pem}, {"host_name", request.host_name}};
  TRY(const auto answer,
      post(loop, stream, request, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
  return base::within("enrol", identity_from(answer, own.key_pem, node));
}

}  // namespace redoubt::link
