FROM continuumio/miniconda3
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/opt/conda/pkgs,sharing=locked conda env create -f environment.yml
CMD ["conda", "run", "-n", "app", "python", "app.py"]
