FROM eclipse-temurin:21-jdk
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/root/.m2 chmod +x mvnw && ./mvnw package
ENTRYPOINT java -jar target/*.jar
